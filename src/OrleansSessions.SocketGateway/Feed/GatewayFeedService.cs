using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>Keeps the process subscribed to its stream and listed among the socket gateways, from start to stop.</summary>
internal sealed partial class GatewayFeedService(
    IClusterClient cluster, GatewayFeed feed, SiloHeartbeats silos, SessionReattacher reattacher, SocketGatewayInstance instance,
    SocketGatewayMetrics metrics, TimeProvider clock, ILogger<GatewayFeedService> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstRenewal = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastRenewal = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(1);

    private StreamSubscriptionHandle<GatewayItem>? _subscription;

    // There may be subscriptions besides that one: an earlier one that could not be ended, or one whose registration timed out here and took effect there.
    private bool _mayHaveStrays;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // 1. Subscribe, then be listed: nobody sends to a stream that nobody hears.
            await StartListeningAsync(stoppingToken);

            // 2. Look after both until the end.
            await WatchAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }

        // 3. Say goodbye, so that no silo sends into the void; bounded, for the cluster may be gone before us.
        await LeaveAsync();
    }

    private async Task StartListeningAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        while (true)
        {
            try
            {
                await SubscribeAsync().WaitAsync(stoppingToken);
                await RenewLeaseAsync().WaitAsync(stoppingToken);
                LogMessages.Listening(logger, instance.Id);
                return;
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // The silo or the cluster may still be starting.
                _mayHaveStrays = true;
                LogMessages.NotYetListening(logger, fault, instance.Id);
                await Task.Delay(retry, clock, stoppingToken);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }
        }
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        // Either call may wait half a minute for a silo that is frozen. Neither may hold up the other, nor the sessions that wait for an answer.
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
                lease = TryAsync(RenewLeaseAsync, stoppingToken);
            }

            var missing = silos.Missing();
            if (missing.Count == 0)
            {
                // A silo that is heard again may just have taken what it was sent while it was missing.
                _mayHaveStrays |= renewal != FirstRenewal;
                renewal = FirstRenewal;
                if (_mayHaveStrays && subscription.IsCompleted)
                {
                    subscription = TryAsync(EndStraysAsync, stoppingToken);
                }
            }
            else if (subscription.IsCompleted && clock.GetElapsedTime(subscribedAt) >= renewal)
            {
                // A frozen silo is missed for long: each renewal waits longer than the one before.
                subscribedAt = clock.GetTimestamp();
                renewal = renewal * 2 < LastRenewal ? renewal * 2 : LastRenewal;
                LogMessages.Missing(logger, missing.Count, instance.Id);
                subscription = TryAsync(RenewSubscriptionAsync, stoppingToken);
            }
        }
    }

    /// <summary>Never throws: what fails is logged, and comes round again.</summary>
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
            LogMessages.WatchFailed(logger, fault, instance.Id);
        }
    }

    private async Task SubscribeAsync() => _subscription ??= await Stream().SubscribeAsync(feed);

    private async Task RenewSubscriptionAsync()
    {
        // The new one first: what comes by both is dropped as a repeat, what comes by neither would be a hole.
        metrics.SubscriptionRenewed();
        _mayHaveStrays = true;
        _subscription = await Stream().SubscribeAsync(feed);
        reattacher.EnqueueAll();
        await RenewLeaseAsync();
        await EndStraysAsync();
    }

    /// <summary>
    /// Ends all subscriptions but the present one; the stream has no subscribers besides this process. The handles are fetched, because one whose
    /// unsubscribe failed is of no use for a second attempt.
    /// </summary>
    private async Task EndStraysAsync()
    {
        var ends = new List<Task>();
        foreach (var handle in await Stream().GetAllSubscriptionHandles())
        {
            if (handle.HandleId != _subscription?.HandleId)
            {
                ends.Add(handle.UnsubscribeAsync());
            }
        }

        // One that cannot be ended does not keep the others.
        await Task.WhenAll(ends);
        _mayHaveStrays = false;
    }

    private IAsyncStream<GatewayItem> Stream() =>
        cluster.GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, instance.Id));

    private Task RenewLeaseAsync() => cluster.GetGrain<ISocketGatewayRegistryGrain>(0).RenewAsync(new() { Gateway = instance.Id, Host = instance.Host });

    private async Task LeaveAsync()
    {
        await GoodbyeAsync(() => cluster.GetGrain<ISocketGatewayRegistryGrain>(0).LeaveAsync(new() { Gateway = instance.Id }));
        if (_subscription is not null || _mayHaveStrays)
        {
            _subscription = null;
            await GoodbyeAsync(EndStraysAsync);
        }
    }

    private async Task GoodbyeAsync(Func<Task> goodbye)
    {
        try
        {
            await goodbye().WaitAsync(GoodbyeTimeout, clock);
        }
        catch (Exception fault)
        {
            LogMessages.LeaveFailed(logger, fault, instance.Id);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Socket gateway {Gateway} is subscribed and listed.")]
        public static partial void Listening(ILogger logger, string gateway);

        [LoggerMessage(2, LogLevel.Debug, "Socket gateway {Gateway} cannot subscribe yet.")]
        public static partial void NotYetListening(ILogger logger, Exception fault, string gateway);

        [LoggerMessage(3, LogLevel.Warning, "{Count} silos are not heard by socket gateway {Gateway}; it subscribes again.")]
        public static partial void Missing(ILogger logger, int count, string gateway);

        [LoggerMessage(4, LogLevel.Warning, "Socket gateway {Gateway} could not renew its lease or its subscription; it tries again.")]
        public static partial void WatchFailed(ILogger logger, Exception fault, string gateway);

        [LoggerMessage(5, LogLevel.Debug, "Socket gateway {Gateway} could not say goodbye; its lease will end by itself.")]
        public static partial void LeaveFailed(ILogger logger, Exception fault, string gateway);
    }
}
