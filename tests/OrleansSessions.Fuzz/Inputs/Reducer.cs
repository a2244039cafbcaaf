namespace OrleansSessions.Fuzz.Inputs;

/// <summary>Makes an input smaller for as long as the same thing is wrong with it.</summary>
internal static class Reducer
{
    private const int MaxAttempts = 3_000;

    /// <param name="isStillWrong">Whether a smaller input has the same fault.</param>
    public static async Task<byte[]> ReduceAsync(byte[] input, Func<byte[], Task<bool>> isStillWrong)
    {
        var attempts = 0;
        for (var length = input.Length / 2; length > 0; length /= 2)
        {
            for (var at = 0; at + length <= input.Length && attempts < MaxAttempts; attempts++)
            {
                byte[] smaller = [.. input.AsSpan(0, at), .. input.AsSpan(at + length)];
                if (await isStillWrong(smaller))
                {
                    input = smaller;
                }
                else
                {
                    at += length;
                }
            }
        }

        return input;
    }
}
