using OrleansSessions.Clustering;

namespace OrleansSessions.Server.Hosting;

/// <summary>
/// Ends a process that does not stop by itself in time: a shutdown waits for the cluster and for the store, and either may be away. All that clients and other
/// processes need from this one is done by then.
/// </summary>
internal sealed partial class StopLimit(ClusterEviction eviction, Drain drain, TimeProvider time, ILogger<StopLimit> logger) : IHostedService, IDisposable
{
    /// <summary>
    /// The host stops 2 s after the eviction, and has 1 s for that. With the up to 2 s in which the membership table is not read, this keeps to the 5 s that are
    /// documented as the maximum from the moment when a silo is out of its cluster, or goes on after it hung, to the end of its process.
    /// </summary>
    private static readonly TimeSpan EvictedLimit = TimeSpan.FromSeconds(3);

    private CancellationTokenRegistration _onEvicted;
    private CancellationTokenRegistration _onEnding;
    private ITimer? _evicted;
    private ITimer? _ending;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _onEvicted = eviction.Evicted.Register(() => _evicted = EndAfter(EvictedLimit, ClusterEviction.ExitCode));
        _onEnding = drain.Ending.Register(() => _ending = EndAfter(DrainOptions.StopTime, Environment.ExitCode));
        return Task.CompletedTask;
    }

    // What is limited is just this: the stop of the host.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _onEvicted.Dispose();
        _onEnding.Dispose();
        _evicted?.Dispose();
        _ending?.Dispose();
    }

    private ITimer EndAfter(TimeSpan limit, int exitCode) => time.CreateTimer(
        _ =>
        {
            LogMessages.Ended(logger, limit);
            Environment.Exit(exitCode);
        },
        null, limit, Timeout.InfiniteTimeSpan);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The process has not stopped within {Limit}, and ends now.")]
        public static partial void Ended(ILogger logger, TimeSpan limit);
    }
}
