using Orleans.Streams;
using OrleansSessions.Gateways;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>How the cluster knows this process: the subscription to its stream, and its lease among the socket gateways. One call of a kind at a time.</summary>
internal sealed class GatewayRegistration(IClusterClient cluster, GatewayFeed feed, SocketGatewayInstance instance)
{
    private StreamSubscriptionHandle<GatewayItem>? _subscription;

    /// <summary>
    /// True where there may be subscriptions besides the present one: an earlier one that could not be ended, or one whose registration timed out here
    /// and took effect there.
    /// </summary>
    public bool MayHaveStrays { get; set; }

    public string Gateway => instance.Id;

    private ISocketGatewayRegistryGrain Registry => cluster.GetGrain<ISocketGatewayRegistryGrain>(0);

    private IAsyncStream<GatewayItem> Stream =>
        cluster.GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, instance.Id));

    /// <summary>Subscribes, unless a subscription is there.</summary>
    public async Task SubscribeAsync() => _subscription ??= await Stream.SubscribeAsync(feed);

    /// <summary>Subscribes again. What comes by both subscriptions is dropped as a repeat; what came by neither would be a hole, so the earlier one ends later.</summary>
    public async Task SubscribeAgainAsync()
    {
        MayHaveStrays = true;
        _subscription = await Stream.SubscribeAsync(feed);
    }

    /// <summary>
    /// Ends all subscriptions but the present one; the stream has no subscribers besides this process. The handles are fetched, because one whose
    /// unsubscribe failed is of no use for a second attempt.
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

        // One that cannot be ended does not keep the others.
        await Task.WhenAll(ends);
        MayHaveStrays = false;
    }

    public Task RenewLeaseAsync() => Registry.RenewAsync(new() { Gateway = instance.Id, Host = instance.Host });

    public Task EndLeaseAsync() => Registry.LeaveAsync(new() { Gateway = instance.Id });

    /// <summary>Ends every subscription. Does nothing where there can be none.</summary>
    public async Task UnsubscribeAsync()
    {
        if (_subscription is not null || MayHaveStrays)
        {
            _subscription = null;
            await EndStraysAsync();
        }
    }
}
