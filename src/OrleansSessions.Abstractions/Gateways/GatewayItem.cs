using OrleansSessions.Log;

namespace OrleansSessions.Gateways;

/// <summary>What a <see cref="GatewayItem"/> reports.</summary>
public enum GatewayItemKind : byte
{
    /// <summary>New events of a session, in order and without a hole among themselves.</summary>
    Events = 1,

    /// <summary>The last item of an activation: the session goes to sleep and forgets its subscribed gateways.</summary>
    Asleep = 2,

    /// <summary>A session's grain has woken up and does not know this socket gateway, which attaches if it holds the session.</summary>
    Awake = 3,

    /// <summary>A session was removed, after all its events: its sockets are closed.</summary>
    Removed = 4,

    /// <summary>Sent by every silo, each second, to every live socket gateway: proves the subscription and carries the membership.</summary>
    Heartbeat = 5,
}

/// <summary>
/// What a silo sends to one socket gateway over that gateway's stream. A lost item costs latency, never data: the numbers show the hole, and the log has what was
/// in it. There is one type for all kinds, so that a socket gateway can skip a kind that it does not know.
/// </summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.GatewayItem")]
public sealed record GatewayItem
{
    /// <summary>The silo that sent it.</summary>
    [Id(0)]
    public required SiloAddress Silo { get; init; }

    /// <summary>
    /// Counts this silo's items for this socket gateway, +1 each. A heartbeat repeats the last one. A silo that had closed its outbox for the socket gateway,
    /// and opens another one, goes on at a higher number: the hole shows that items were not sent.
    /// </summary>
    [Id(1)]
    public long Number { get; init; }

    [Id(2)]
    public GatewayItemKind Kind { get; init; }

    /// <summary>All but heartbeats: the key of the session's grain. Else empty.</summary>
    [Id(3)]
    public string SessionKey { get; init; } = "";

    /// <summary>All but heartbeats: the epoch of the session's log.</summary>
    [Id(4)]
    public long Epoch { get; init; }

    /// <summary>Events: what is new. Else empty.</summary>
    [Id(5)]
    public LogEvent[] Events { get; init; } = [];

    /// <summary>Awake: the head of the log.</summary>
    [Id(6)]
    public long Seq { get; init; }

    /// <summary>Heartbeat: grows with each change of <see cref="ActiveSilos"/>.</summary>
    [Id(7)]
    public long MembershipVersion { get; init; }

    /// <summary>Heartbeat: the cluster's active silos. Else empty.</summary>
    [Id(8)]
    public SiloAddress[] ActiveSilos { get; init; } = [];

    /// <summary>Heartbeat: true while this silo cannot write the store of the sessions.</summary>
    [Id(9)]
    public bool IsStoreAway { get; init; }

    /// <summary>An item of kind <see cref="GatewayItemKind.Events"/>.</summary>
    public static GatewayItem NewEvents(SiloAddress silo, long number, string sessionKey, long epoch, LogEvent[] events) =>
        new() { Silo = silo, Number = number, Kind = GatewayItemKind.Events, SessionKey = sessionKey, Epoch = epoch, Events = events };

    /// <summary>An item of kind <see cref="GatewayItemKind.Asleep"/>.</summary>
    public static GatewayItem Asleep(SiloAddress silo, long number, string sessionKey, long epoch) =>
        new() { Silo = silo, Number = number, Kind = GatewayItemKind.Asleep, SessionKey = sessionKey, Epoch = epoch };

    /// <summary>An item of kind <see cref="GatewayItemKind.Awake"/>.</summary>
    public static GatewayItem Awake(SiloAddress silo, long number, string sessionKey, long epoch, long seq) =>
        new() { Silo = silo, Number = number, Kind = GatewayItemKind.Awake, SessionKey = sessionKey, Epoch = epoch, Seq = seq };

    /// <summary>An item of kind <see cref="GatewayItemKind.Removed"/>.</summary>
    public static GatewayItem Removed(SiloAddress silo, long number, string sessionKey, long epoch) =>
        new() { Silo = silo, Number = number, Kind = GatewayItemKind.Removed, SessionKey = sessionKey, Epoch = epoch };

    /// <summary>An item of kind <see cref="GatewayItemKind.Heartbeat"/>.</summary>
    public static GatewayItem Heartbeat(SiloAddress silo, long number, long membershipVersion, SiloAddress[] activeSilos) =>
        new() { Silo = silo, Number = number, Kind = GatewayItemKind.Heartbeat, MembershipVersion = membershipVersion, ActiveSilos = activeSilos };
}
