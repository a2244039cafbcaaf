using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;
using OrleansSessions.SocketGateway.Feed;

namespace OrleansSessions.SocketGateway;

/// <summary>
/// Checks whether answers reach this process. What silos send through its stream proves it; having subscribed does not.
/// For <c>AddCheck&lt;SocketGatewayHealthCheck&gt;</c> in a host with a socket gateway.
/// </summary>
public sealed class SocketGatewayHealthCheck : IHealthCheck
{
    private readonly SiloHeartbeats _silos;
    private readonly ClusterEviction _eviction;

    internal SocketGatewayHealthCheck(SiloHeartbeats silos, ClusterEviction eviction) => (_silos, _eviction) = (silos, eviction);

    /// <summary>
    /// True once every silo of the start was heard, or one after <see cref="SocketGatewayOptions.ReadyTimeout"/>. False while none is heard,
    /// and once the silo of this process is evicted.
    /// </summary>
    public bool IsReady => !_eviction.IsEvicted && _silos.IsReady();

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(IsReady ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("No silo is heard."));
}
