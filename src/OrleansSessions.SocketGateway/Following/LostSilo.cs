using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Repeats a call to a session whose silo is lost, until another silo has taken over. An event stream that opens meanwhile must wait: an
/// <c>EventSource</c> that gets an error instead never comes back.
/// </summary>
internal static class LostSilo
{
    /// <summary>As long as a cluster may need to notice that a silo hangs. After it the client comes back by itself, later.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMilliseconds(400);

    /// <param name="call">A call that can be repeated.</param>
    /// <param name="isWanted">False once no one waits for the reply any more.</param>
    /// <exception cref="Exception">What the last call threw: the session could not be reached in time, or something else failed.</exception>
    public static async Task<T> OutlastAsync<T>(Func<Task<T>> call, Func<bool> isWanted, TimeProvider clock)
    {
        var startedAt = clock.GetTimestamp();
        for (var retry = FirstRetry; ; retry = retry * 2 < LastRetry ? retry * 2 : LastRetry)
        {
            try
            {
                return await call();
            }
            catch (Exception fault) when (GrainFaults.IsUnreachable(fault) && isWanted() && clock.GetElapsedTime(startedAt) + retry < Patience)
            {
                await Task.Delay(retry, clock);
            }
        }
    }
}
