using OrleansSessions.Clustering;

namespace OrleansSessions.Server.Clustering;

/// <summary>Ends the process of an evicted silo even if its shutdown hangs: a shutdown can wait for a cluster or a store that is not available.</summary>
internal sealed partial class EvictionLimit(ClusterEviction eviction, ILogger<EvictionLimit> logger) : IHostedService
{
    /// <summary>Less than the 10 s that are documented as the maximum from the eviction to the end of the process.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

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
        [LoggerMessage(1, LogLevel.Critical, "The process of an evicted silo did not stop within {Limit}. It is terminated.")]
        public static partial void Ended(ILogger logger, TimeSpan limit);
    }
}
