using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;
using OrleansSessions.SocketGateway.Feed;

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

    internal SocketGatewayHealthCheck(SiloHeartbeats silos, ClusterEviction eviction, Drain drain) =>
        (_silos, _eviction, _drain) = (silos, eviction, drain);

    /// <summary>
    /// True once items were received from all silos of the first membership, or from one silo after <see cref="SocketGatewayOptions.ReadyTimeout"/>. False
    /// while no silo is heard, once the silo of this process is evicted, and once the process drains.
    /// </summary>
    public bool IsReady => !_eviction.IsEvicted && !_drain.IsDraining && _silos.IsReady();

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            IsReady ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(_drain.IsDraining ? "This process drains." : "Nothing is received from any silo."));
}
