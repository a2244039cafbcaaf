namespace OrleansSessions.Gateways;

/// <summary>Which socket gateways live in this cluster. One grain, key 0; in memory, for leases fill it again by themselves.</summary>
[Alias("OrleansSessions.ISocketGatewayRegistryGrain"), GrainInterfaceType("orleanssessions.socketgateways")]
public interface ISocketGatewayRegistryGrain : IGrainWithIntegerKey
{
    /// <summary>Adds a socket gateway or renews its lease. Call it every third of <see cref="SocketGatewayRegistry.Lease"/>.</summary>
    /// <param name="host">The silo that shares its process, or null.</param>
    [Alias("Renew")]
    Task RenewAsync(string gateway, SiloAddress? host);

    /// <summary>Takes a socket gateway off the list at once, when it stops in order.</summary>
    [Alias("Leave")]
    Task LeaveAsync(string gateway);

    /// <summary>All with a live lease.</summary>
    [Alias("List")]
    Task<SocketGatewayList> ListAsync();
}

/// <param name="IsSettled">False for the first lease of this grain's life, while missing entries prove nothing.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SocketGatewayList")]
public sealed record SocketGatewayList([property: Id(0)] SocketGatewayEntry[] Entries, [property: Id(1)] bool IsSettled);

[GenerateSerializer, Immutable, Alias("OrleansSessions.SocketGatewayEntry")]
public sealed record SocketGatewayEntry([property: Id(0)] string Gateway, [property: Id(1)] SiloAddress? Host);

/// <summary>Constants that the registry and those who call it share.</summary>
public static class SocketGatewayRegistry
{
    /// <summary>How long a socket gateway stays listed without a renewal: 15 s, three missed renewals.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
}
