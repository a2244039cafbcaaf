namespace OrleansSessions.Grains.Records;

/// <summary>The lengths of deltas in UTF-16 units, in 7 bits a byte with the lowest first: one byte for most deltas.</summary>
internal static class DeltaLengths
{
    /// <param name="ends">Where each delta ends in the answer.</param>
    /// <param name="first">The first delta to write.</param>
    /// <param name="end">The delta after the last one to write.</param>
    public static byte[] Write(List<int> ends, int first, int end)
    {
        var bytes = new List<byte>(end - first);
        for (var (i, start) = (first, first == 0 ? 0 : ends[first - 1]); i < end; start = ends[i++])
        {
            VariableNumber.Write(bytes, ends[i] - start);
        }

        return [.. bytes];
    }

    /// <summary>Adds where each delta ends, after those that <paramref name="ends"/> has.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, List<int> ends)
    {
        var end = ends.Count == 0 ? 0 : ends[^1];
        while (bytes.Length > 0)
        {
            ends.Add(end += VariableNumber.Read(ref bytes));
        }
    }
}
