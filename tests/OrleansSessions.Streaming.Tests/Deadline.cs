namespace OrleansSessions.Streaming.Tests;

internal static class Deadline
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(20);

    /// <summary>Waits, and says what for when it does not come.</summary>
    public static async Task MeetAsync(Task task, string what, Func<string>? got = null)
    {
        try
        {
            await task.WaitAsync(Default);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited {Default.TotalSeconds} s for {what}. Got: {got?.Invoke() ?? "nothing"}.");
        }
    }

    /// <summary>Looks again until it holds.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string what, Func<string>? got = null)
    {
        using var deadline = new CancellationTokenSource(Default);
        while (!condition())
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"Waited {Default.TotalSeconds} s for {what}. Got: {got?.Invoke() ?? "nothing"}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }
}
