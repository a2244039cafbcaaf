using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The one timer behind all sockets' time limits, and the one who says goodbye to all of them when the process stops.</summary>
internal sealed partial class FollowerClock(
    FollowerRegistry registry, IOptions<SocketGatewayOptions> options, ClusterEviction eviction, TimeProvider clock, IHostApplicationLifetime lifetime,
    ILogger<FollowerClock> logger) : BackgroundService
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before the web server stops, for it waits for its sockets.
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

        // One that came in while the others were leaving.
        CloseAll();
    }

    /// <summary>A fault at one socket must not stop the clock of all the others.</summary>
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
                connection.Close(eviction.IsEvicted ? CloseCodes.ServiceRestart : CloseCodes.Draining, "This node is going down.");
            }
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "The time limits of a socket could not be checked.")]
        public static partial void TickFailed(ILogger logger, Exception fault);
    }
}
