using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;
using OrleansSessions.SocketGateway.Feed;

namespace OrleansSessions.SocketGateway;

/// <summary>Whether answers reach this process: proven by what silos send through its stream, not by having subscribed.</summary>
public interface ISocketGatewayReadiness
{
    /// <summary>True once every silo of the start was heard, or one after <see cref="SocketGatewayOptions.ReadyTimeout"/>; false while none is, and once the silo of this process is evicted.</summary>
    bool IsReady { get; }
}

/// <summary>The same as a health check, for <c>AddCheck&lt;SocketGatewayHealthCheck&gt;</c>.</summary>
public sealed class SocketGatewayHealthCheck(ISocketGatewayReadiness readiness) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(readiness.IsReady ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("No silo is heard."));
}

internal sealed class SocketGatewayReadiness(SiloHeartbeats silos, ClusterEviction eviction) : ISocketGatewayReadiness
{
    public bool IsReady => !eviction.IsEvicted && silos.IsReady();
}
