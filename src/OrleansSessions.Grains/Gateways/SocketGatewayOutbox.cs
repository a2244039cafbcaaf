using Orleans.Streams;
using OrleansSessions.Gateways;

namespace OrleansSessions.Grains.Gateways;

/// <summary>
/// Numbers the items that this silo sends to one socket gateway, and puts them on the gateway's stream in the same order.
/// An item that the stream refuses leaves a hole in the numbers. The socket gateway sees the hole.
/// </summary>
/// <param name="numberBefore">The number before that of the first item.</param>
internal sealed class SocketGatewayOutbox(string gateway, int ordinal, SiloAddress silo, IAsyncStream<GatewayItem> stream, long seenAt, long numberBefore)
{
    private readonly Lock _order = new();
    private long _number = numberBefore;
    private volatile bool _isClosed;

    public string Gateway { get; } = gateway;

    /// <summary>The place of this outbox in the order in which this silo created them, from 1.</summary>
    public int Ordinal { get; } = ordinal;

    /// <summary>When this silo first heard of the socket gateway, as a timestamp.</summary>
    public long SeenAt { get; } = seenAt;

    /// <summary>The silo in the same process; null where there is none, or where the registry has not listed the socket gateway yet.</summary>
    public SiloAddress? Host { get; set; }

    /// <summary>True once the socket gateway is known to be gone. Nothing more is sent to it.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Numbers an item and sends it. Waits while the stream's queue is full.</summary>
    public Task SendAsync<TState>(TState state, Func<TState, SiloAddress, long, GatewayItem> create)
    {
        lock (_order)
        {
            return _isClosed ? Task.CompletedTask : stream.OnNextAsync(create(state, silo, ++_number));
        }
    }

    /// <summary>Repeats the last number, so that the socket gateway can see whether it has them all.</summary>
    public Task SendHeartbeatAsync(long membershipVersion, SiloAddress[] activeSilos, bool isStoreAway)
    {
        lock (_order)
        {
            return stream.OnNextAsync(GatewayItem.Heartbeat(silo, _number, membershipVersion, activeSilos) with { IsStoreAway = isStoreAway });
        }
    }

    /// <summary>Sends nothing more.</summary>
    /// <returns>The number of the last item that was sent.</returns>
    public long Close()
    {
        lock (_order)
        {
            _isClosed = true;
            return _number;
        }
    }
}
