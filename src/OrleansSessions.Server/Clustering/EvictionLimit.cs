using OrleansSessions.Clustering;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// Ends the process of an evicted silo before its shutdown can take long. A shutdown waits for the cluster, which no longer answers this silo, and for the
/// store, in which it may write nothing. Its sockets are closed by then.
/// </summary>
internal sealed partial class EvictionLimit(ClusterEviction eviction, ILogger<EvictionLimit> logger) : IHostedService
{
    /// <summary>
    /// The host stops 2 s after the eviction, and has 1 s for that. With the up to 2 s in which the membership table is not read, this keeps to the 5 s that are
    /// documented as the maximum from the moment when a silo is out of its cluster, or goes on after it hung, to the end of its process.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // This is never cancelled, because it limits the shutdown itself.
        eviction.Evicted.Register(() => EndAsync().Ignore());
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task EndAsync()
    {
        await Task.Delay(Limit, TimeProvider.System);
        LogMessages.Ended(logger, Limit);
        Environment.Exit(ClusterEviction.ExitCode);
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "The process of an evicted silo has not stopped within {Limit}, and ends now.")]
        public static partial void Ended(ILogger logger, TimeSpan limit);
    }
}
