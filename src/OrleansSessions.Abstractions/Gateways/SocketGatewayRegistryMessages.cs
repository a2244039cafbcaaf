using OrleansSessions.Sessions;

namespace OrleansSessions.Gateways;

/// <summary>Adds a socket gateway or renews its lease.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.RenewRequest")]
public sealed record RenewRequest : SessionRequest
{
    /// <summary>The socket gateway's instance id.</summary>
    [Id(0)]
    public required string Gateway { get; init; }

    /// <summary>The silo in the same process, or null.</summary>
    [Id(1)]
    public SiloAddress? Host { get; init; }
}

/// <summary>Removes a socket gateway.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LeaveRequest")]
public sealed record LeaveRequest : SessionRequest
{
    /// <summary>The socket gateway's instance id.</summary>
    [Id(0)]
    public required string Gateway { get; init; }
}

/// <summary>Lists the socket gateways.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ListRequest")]
public sealed record ListRequest : SessionRequest
{
    /// <summary>The silo that asks; null from a silo of an earlier version.</summary>
    [Id(0)]
    public SiloAddress? Silo { get; init; }

    /// <summary>True once that silo drains.</summary>
    [Id(1)]
    public bool IsDraining { get; init; }
}

/// <summary>The socket gateways of a cluster.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SocketGatewayList")]
public sealed record SocketGatewayList
{
    [Id(0)]
    public required SocketGatewayEntry[] Entries { get; init; }

    /// <summary>False for the first lease of the grain's life, while missing entries prove nothing.</summary>
    [Id(1)]
    public bool IsSettled { get; init; }

    /// <summary>The silos that drain: sessions are better activated elsewhere.</summary>
    [Id(2)]
    public SiloAddress[] Draining { get; init; } = [];
}

/// <summary>One socket gateway.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SocketGatewayEntry")]
public sealed record SocketGatewayEntry
{
    /// <summary>The socket gateway's instance id.</summary>
    [Id(0)]
    public required string Gateway { get; init; }

    /// <summary>The silo in the same process, or null.</summary>
    [Id(1)]
    public SiloAddress? Host { get; init; }
}
