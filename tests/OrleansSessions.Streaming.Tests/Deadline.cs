namespace OrleansSessions.Streaming.Tests;

internal static class Deadline
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(20);

    /// <summary>Waits for the task. The time-out error says what it waited for.</summary>
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

    /// <summary>Polls until the condition is true.</summary>
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
