using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.Stores;

namespace OrleansSessions.SocketGateway;

/// <summary>
/// Checks whether answers reach this process. Only items that silos send through its stream prove that; a subscription alone does not. Use it with
/// <c>AddCheck&lt;SocketGatewayHealthCheck&gt;</c> in a host with a socket gateway.
/// </summary>
public sealed class SocketGatewayHealthCheck : IHealthCheck
{
    private readonly SiloHeartbeats _silos;
    private readonly ClusterEviction _eviction;
    private readonly Drain _drain;
    private readonly StoreHealth _store;

    internal SocketGatewayHealthCheck(SiloHeartbeats silos, ClusterEviction eviction, Drain drain, StoreHealth store) =>
        (_silos, _eviction, _drain, _store) = (silos, eviction, drain, store);

    /// <summary>
    /// True once items were received from all silos of the first membership, or from one silo after <see cref="SocketGatewayOptions.ReadyTimeout"/>. False
    /// while no silo is heard, once the silo of this process is evicted, and once the process drains.
    /// </summary>
    public bool IsReady => !_eviction.IsEvicted && !_drain.IsDraining && _silos.IsReady();

    /// <summary>Degraded while this process is ready but the store of the sessions is away: answers go on, so no one should cut the sockets.</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            IsReady ? (_store.Describe() is { } outage ? HealthCheckResult.Degraded(outage) : HealthCheckResult.Healthy())
            : HealthCheckResult.Unhealthy(_drain.IsDraining ? "This process drains." : "Nothing is received from any silo."));
}
