using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Runs the timer for the time limits of all connections, and closes all of them when the process stops.</summary>
internal sealed partial class FollowerClock(
    FollowerRegistry registry, IOptions<SocketGatewayOptions> options, ClusterEviction eviction, TimeProvider clock, IHostApplicationLifetime lifetime,
    ILogger<FollowerClock> logger) : BackgroundService
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Close them before the web server stops, because it waits for them.
        await using var onStopping = lifetime.ApplicationStopping.Register(CloseAll);
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

        // A connection can have been accepted while the others were closed.
        CloseAll();
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

    private void CloseAll()
    {
        foreach (var session in registry.Sessions)
        {
            foreach (var connection in session.All)
            {
                connection.Close(eviction.IsEvicted ? CloseCodes.ServiceRestart : CloseCodes.Draining, "This node is shutting down.");
            }
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "The time limits of a connection could not be checked.")]
        public static partial void TickFailed(ILogger logger, Exception fault);
    }
}
