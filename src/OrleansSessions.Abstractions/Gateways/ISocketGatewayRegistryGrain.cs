namespace OrleansSessions.Gateways;

/// <summary>Which socket gateways are alive in this cluster. One grain, key 0; in memory, because leases fill it again by themselves.</summary>
[Alias("OrleansSessions.ISocketGatewayRegistryGrain"), GrainInterfaceType("orleanssessions.socketgateways")]
public interface ISocketGatewayRegistryGrain : IGrainWithIntegerKey
{
    /// <summary>Adds a socket gateway or renews its lease. Call it every third of <see cref="SocketGatewayRegistry.Lease"/>.</summary>
    [Alias("Renew")]
    Task RenewAsync(RenewRequest request);

    /// <summary>Removes a socket gateway from the list at once, when it stops in order.</summary>
    [Alias("Leave")]
    Task LeaveAsync(LeaveRequest request);

    /// <summary>All with a valid lease.</summary>
    [Alias("List")]
    Task<SocketGatewayList> ListAsync(ListRequest request);
}

/// <summary>Constants that the registry and its callers share.</summary>
public static class SocketGatewayRegistry
{
    /// <summary>How long a socket gateway stays listed without a renewal: 15 s, three missed renewals.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
}
