using System.Collections.Immutable;
using OrleansSessions.Log;

namespace OrleansSessions.Gateways;

/// <summary>
/// What a silo sends to one socket gateway over that gateway's stream. Losing one costs latency, never data:
/// the numbers show the hole, and the log has what was in it.
/// </summary>
/// <param name="Silo">The silo that sent it.</param>
/// <param name="Number">Counts this silo's items for this socket gateway, from 1, +1 each. A heartbeat repeats the last one.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.GatewayItem")]
public abstract record GatewayItem([property: Id(0)] SiloAddress Silo, [property: Id(1)] long Number);

/// <summary>New events of a session, in order and without a hole among themselves.</summary>
/// <param name="SessionKey">The grain's key.</param>
/// <param name="IsLast">
/// True for the last item of an activation, which has no events: the session goes to sleep and forgets its followers. A field, not a type of its own:
/// a socket gateway of an earlier version would fail on an unknown type, and drops an item without events.
/// </param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionEventsItem")]
public sealed record SessionEventsItem(
    SiloAddress Silo, long Number, [property: Id(0)] string SessionKey, [property: Id(1)] long Epoch, [property: Id(2)] LogEvent[] Events,
    [property: Id(3)] bool IsLast = false)
    : GatewayItem(Silo, Number);

/// <summary>A session's grain has woken up and does not know this socket gateway: attach, if you hold it.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionAwakeItem")]
public sealed record SessionAwakeItem(
    SiloAddress Silo, long Number, [property: Id(0)] string SessionKey, [property: Id(1)] long Epoch, [property: Id(2)] long Seq)
    : GatewayItem(Silo, Number);

/// <summary>A session was removed, after all its events: close its sockets.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionRemovedItem")]
public sealed record SessionRemovedItem(SiloAddress Silo, long Number, [property: Id(0)] string SessionKey, [property: Id(1)] long Epoch)
    : GatewayItem(Silo, Number);

/// <summary>Sent by every silo, each second, to every live socket gateway: proves the subscription and carries the membership.</summary>
/// <param name="MembershipVersion">Grows with each change of <paramref name="ActiveSilos"/>.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.HeartbeatItem")]
public sealed record HeartbeatItem(
    SiloAddress Silo, long Number, [property: Id(0)] long MembershipVersion, [property: Id(1)] ImmutableArray<SiloAddress> ActiveSilos)
    : GatewayItem(Silo, Number);
