using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;

namespace OrleansSessions.Server.Observability;

/// <summary>Healthy while the silo of this process is an active member of its cluster.</summary>
internal sealed class SiloHealthCheck(ISiloStatusOracle silo, ClusterEviction eviction, Drain drain) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (eviction.IsEvicted)
        {
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, "The silo is no longer a member of its cluster."));
        }

        if (drain.IsDraining)
        {
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, "The silo drains."));
        }

        var status = silo.CurrentStatus;
        return Task.FromResult(status == SiloStatus.Active
            ? HealthCheckResult.Healthy()
            : new HealthCheckResult(context.Registration.FailureStatus, $"The silo is {status}."));
    }
}
