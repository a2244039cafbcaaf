using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Runs the timer for the time limits of all connections, and closes what is left of them when the process stops.</summary>
internal sealed partial class FollowerClock(
    FollowerRegistry registry, IOptions<SocketGatewayOptions> options, ClusterEviction eviction, TimeProvider clock,
    ILogger<FollowerClock> logger) : BackgroundService
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var period = options.Value.HeartbeatInterval / 4;
        using var timer = new PeriodicTimer(period < LongestPeriod ? period : LongestPeriod, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = clock.GetTimestamp();
                foreach (var session in registry.Sessions)
                {
                    foreach (var connection in session.All)
                    {
                        Tick(connection, now);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        // A connection can have been accepted after the drain.
        registry.CloseAll(eviction.IsEvicted);
    }

    /// <summary>A fault of one connection must not stop the time limits of the others.</summary>
    private void Tick(IFollower connection, long now)
    {
        try
        {
            connection.OnTick(now);
        }
        catch (Exception fault)
        {
            LogMessages.TickFailed(logger, fault);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "The time limits of a connection could not be checked.")]
        public static partial void TickFailed(ILogger logger, Exception fault);
    }
}
