using Orleans.Streams;
using OrleansSessions.Gateways;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>
/// How the cluster knows this process: by the subscription to its stream, and by its
/// lease in the registry of socket gateways. Calls of the same kind must not overlap.
/// </summary>
internal sealed class GatewayRegistration(IClusterClient cluster, GatewayFeed feed, SocketGatewayInstance instance)
{
    private StreamSubscriptionHandle<GatewayItem>? _subscription;

    /// <summary>
    /// True if there can be subscriptions besides the current one: an earlier one that could
    /// not be ended, or one whose registration timed out here but succeeded at the silo.
    /// </summary>
    public bool MayHaveStrays { get; set; }

    public string Gateway => instance.Id;

    private ISocketGatewayRegistryGrain Registry => cluster.GetGrain<ISocketGatewayRegistryGrain>(0);

    private IAsyncStream<GatewayItem> Stream =>
        cluster.GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, instance.Id));

    /// <summary>Subscribes if there is no subscription.</summary>
    public async Task SubscribeAsync() => _subscription ??= await Stream.SubscribeAsync(feed);

    /// <summary>
    /// Subscribes again. Items that arrive through both subscriptions are dropped as
    /// repeats. Ending the earlier one first would lose items, so it is ended later.
    /// </summary>
    public async Task SubscribeAgainAsync()
    {
        MayHaveStrays = true;
        _subscription = await Stream.SubscribeAsync(feed);
    }

    /// <summary>
    /// Ends all subscriptions except the current one. The stream has no other subscribers than this
    /// process. The handles are fetched, because a handle whose unsubscribe failed cannot be used again.
    /// </summary>
    public async Task EndStraysAsync()
    {
        var ends = new List<Task>();
        foreach (var handle in await Stream.GetAllSubscriptionHandles())
        {
            if (handle.HandleId != _subscription?.HandleId)
            {
                ends.Add(handle.UnsubscribeAsync());
            }
        }

        // A subscription that cannot be ended must not prevent the others from being ended.
        await Task.WhenAll(ends);
        MayHaveStrays = false;
    }

    public Task RenewLeaseAsync() => Registry.RenewAsync(new() { Gateway = instance.Id, Host = instance.Host });

    public Task EndLeaseAsync() => Registry.LeaveAsync(new() { Gateway = instance.Id });

    /// <summary>Ends all subscriptions, if there can be any.</summary>
    public async Task UnsubscribeAsync()
    {
        if (_subscription is not null || MayHaveStrays)
        {
            _subscription = null;
            await EndStraysAsync();
        }
    }
}
