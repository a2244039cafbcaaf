namespace OrleansSessions.TestKit.Clusters;

/// <summary>Polls for a condition that cannot be awaited. It has a deadline, and the time-out error says what it waited for.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    /// <param name="patience">The time limit. Default 20 s.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string expectation, TimeSpan? patience = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > (patience ?? Deadline))
            {
                throw new TimeoutException($"Not within {patience ?? Deadline}: {expectation}.");
            }

            await Task.Delay(Period, TimeProvider.System);
        }
    }

    public static Task TrueAsync(Func<bool> condition, string expectation) => TrueAsync(() => Task.FromResult(condition()), expectation);
}
