using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>Keeps the process subscribed to its stream and listed in the registry of socket gateways, from start to stop.</summary>
internal sealed partial class GatewayFeedService(
    GatewayRegistration registration, SiloHeartbeats silos, SessionReattacher reattacher, SocketGatewayMetrics metrics, TimeProvider clock,
    ILogger<GatewayFeedService> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstRenewal = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastRenewal = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // 1. Subscribe first, because silos send to this process as soon as it is listed.
            await StartListeningAsync(stoppingToken);

            // 2. Renew the subscription and the lease until the process stops.
            await WatchAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        // 3. Leave, so that silos stop sending to this process. Limited in time, because the cluster can be gone already.
        await LeaveAsync(registration.EndLeaseAsync);
        await LeaveAsync(registration.UnsubscribeAsync);
    }

    private async Task StartListeningAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        while (true)
        {
            try
            {
                await registration.SubscribeAsync().WaitAsync(stoppingToken);
                await registration.RenewLeaseAsync().WaitAsync(stoppingToken);
                LogMessages.Listening(logger, registration.Gateway);
                return;
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // The silo or the cluster may still be starting.
                registration.MayHaveStrays = true;
                LogMessages.NotYetListening(logger, fault, registration.Gateway);
                await Task.Delay(retry, clock, stoppingToken);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }
        }
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        // A call to a silo that hangs can take half a minute. It must not delay the other call, nor sessions that wait for an answer.
        var (lease, subscription) = (Task.CompletedTask, Task.CompletedTask);
        var leaseRenewedAt = clock.GetTimestamp();
        var subscribedAt = leaseRenewedAt;
        var renewal = FirstRenewal;
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            reattacher.EnqueueQuiet();
            if (lease.IsCompleted && clock.GetElapsedTime(leaseRenewedAt) >= SocketGatewayRegistry.Lease / 3)
            {
                leaseRenewedAt = clock.GetTimestamp();
                lease = TryAsync(registration.RenewLeaseAsync, stoppingToken);
            }

            var missing = silos.Missing();
            if (missing.Count == 0)
            {
                // A silo that is heard again can have just executed the subscribe calls that were sent to it while it was lost.
                registration.MayHaveStrays |= renewal != FirstRenewal;
                renewal = FirstRenewal;
                if (registration.MayHaveStrays && subscription.IsCompleted)
                {
                    subscription = TryAsync(registration.EndStraysAsync, stoppingToken);
                }
            }
            else if (subscription.IsCompleted && clock.GetElapsedTime(subscribedAt) >= renewal)
            {
                // A silo can hang for a long time, so each renewal waits longer than the one before.
                subscribedAt = clock.GetTimestamp();
                renewal = renewal * 2 < LastRenewal ? renewal * 2 : LastRenewal;
                LogMessages.Missing(logger, missing.Count, registration.Gateway);
                subscription = TryAsync(RenewSubscriptionAsync, stoppingToken);
            }
        }
    }

    /// <summary>Never throws. A failure is logged, and the call is made again later.</summary>
    private async Task TryAsync(Func<Task> renew, CancellationToken stoppingToken)
    {
        try
        {
            await renew().WaitAsync(stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            LogMessages.WatchFailed(logger, fault, registration.Gateway);
        }
    }

    private async Task RenewSubscriptionAsync()
    {
        metrics.SubscriptionRenewed();
        await registration.SubscribeAgainAsync();
        reattacher.EnqueueAll();
        await registration.RenewLeaseAsync();
        await registration.EndStraysAsync();
    }

    private async Task LeaveAsync(Func<Task> leave)
    {
        try
        {
            await leave().WaitAsync(LeaveTimeout, clock);
        }
        catch (Exception fault)
        {
            LogMessages.LeaveFailed(logger, fault, registration.Gateway);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Socket gateway {Gateway} is subscribed and listed.")]
        public static partial void Listening(ILogger logger, string gateway);

        [LoggerMessage(2, LogLevel.Debug, "Socket gateway {Gateway} could not subscribe yet. It will try again.")]
        public static partial void NotYetListening(ILogger logger, Exception fault, string gateway);

        [LoggerMessage(3, LogLevel.Warning, "Socket gateway {Gateway} receives nothing from {Count} silos. It subscribes again.")]
        public static partial void Missing(ILogger logger, int count, string gateway);

        [LoggerMessage(4, LogLevel.Warning, "Socket gateway {Gateway} could not renew its lease or its subscription. It will try again.")]
        public static partial void WatchFailed(ILogger logger, Exception fault, string gateway);

        [LoggerMessage(5, LogLevel.Debug, "Socket gateway {Gateway} could not leave the cluster in order. Its lease will expire.")]
        public static partial void LeaveFailed(ILogger logger, Exception fault, string gateway);
    }
}
