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

    internal SocketGatewayHealthCheck(SiloHeartbeats silos, ClusterEviction eviction) => (_silos, _eviction) = (silos, eviction);

    /// <summary>
    /// True once items were received from all silos of the first membership, or from one silo after <see cref="SocketGatewayOptions.ReadyTimeout"/>. False
    /// while no silo is heard, and once the silo of this process is evicted.
    /// </summary>
    public bool IsReady => !_eviction.IsEvicted && _silos.IsReady();

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsReady ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("Nothing is received from any silo."));
}
