using System.Threading.Channels;
using Orleans.Streams;
using OrleansSessions.Gateways;
using OrleansSessions.Log;

namespace OrleansSessions.TestKit.Clusters;

/// <summary>A socket gateway reduced to its stream: it registers, subscribes, and records the items it receives.</summary>
public sealed class GatewayListener : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Channel<GatewayItem> _items = Channel.CreateBounded<GatewayItem>(100_000);
    private readonly TaskCompletionSource _alive = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StreamSubscriptionHandle<GatewayItem>? _subscription;

    public string Id { get; } = $"gateway-{Guid.NewGuid():n}";

    /// <summary>The number of heartbeats received so far.</summary>
    public int Heartbeats { get; private set; }

    /// <summary>The silos whose heartbeats have been received.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<SiloAddress, bool> Silos { get; } = new();

    /// <summary>Returns after the first heartbeat has arrived. From then on items are delivered.</summary>
    public static async Task<GatewayListener> StartAsync(IClusterClient client)
    {
        var listener = new GatewayListener();
        var stream = client.GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, listener.Id));
        listener._subscription = await stream.SubscribeAsync(listener.OnItemAsync);
        await client.GetGrain<ISocketGatewayRegistryGrain>(0).RenewAsync(listener.Id);
        await listener._alive.Task.WaitAsync(Patience);
        return listener;
    }

    /// <summary>Returns the next session item of this kind, and skips others.</summary>
    public async Task<GatewayItem> NextAsync(GatewayItemKind kind)
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (true)
            {
                if (await _items.Reader.ReadAsync(deadline.Token) is var found && found.Kind == kind)
                {
                    return found;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Id} received no item of kind {kind} within {Patience}; it received {Heartbeats} heartbeats.");
        }
    }

    /// <summary>Returns the session events from here on, up to the first one that matches.</summary>
    public async Task<List<LogEvent>> EventsUntilAsync(Func<LogEvent, bool> isLast)
    {
        var events = new List<LogEvent>();
        while (events.Count == 0 || !isLast(events[^1]))
        {
            events.AddRange((await NextAsync(GatewayItemKind.Events)).Events);
        }

        return events;
    }

    public async ValueTask DisposeAsync()
    {
        if (_subscription is not null)
        {
            await _subscription.UnsubscribeAsync();
        }
    }

    private Task OnItemAsync(GatewayItem item, StreamSequenceToken? token)
    {
        if (item.Kind == GatewayItemKind.Heartbeat)
        {
            Silos[item.Silo] = true;
            Heartbeats++;
            _alive.TrySetResult();
        }
        else
        {
            _items.Writer.TryWrite(item);
        }

        return Task.CompletedTask;
    }
}
