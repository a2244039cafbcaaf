using Microsoft.Extensions.Hosting;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Closes all connections when the silo of this process is evicted from its cluster. Their clients can reconnect to another process.</summary>
internal sealed class EvictionFarewell(FollowerRegistry registry, ClusterEviction eviction, TimeProvider clock) : BackgroundService
{
    /// <summary>How long connections can wait for the ends of their questions, which the silo is sending now.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // 1. Wait for an eviction, or for the process to stop.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(eviction.Evicted, stoppingToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!eviction.IsEvicted)
        {
            return;
        }

        // 2. Let the ends of the questions pass. A question that another silo answers does not end, so the wait is limited.
        var startedAt = clock.GetTimestamp();
        while (Connections().Any(connection => connection.IsWaiting) && clock.GetElapsedTime(startedAt) < Patience)
        {
            await Task.Delay(PollInterval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // 3. Close the connections. One that is being accepted at this moment is closed when the process stops.
        foreach (var connection in Connections())
        {
            connection.Close(CloseCodes.ServiceRestart, "This node has left its cluster.", dropWaiting: false);
        }
    }

    private IEnumerable<IFollower> Connections() => registry.Sessions.SelectMany(session => session.All);
}
