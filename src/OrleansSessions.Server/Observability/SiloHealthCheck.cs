using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansSessions.Clustering;
using OrleansSessions.Stores;

namespace OrleansSessions.Server.Observability;

/// <summary>Healthy while the silo of this process is an active member of its cluster, and degraded while it cannot write the store of the sessions.</summary>
internal sealed class SiloHealthCheck(ISiloStatusOracle silo, ClusterEviction eviction, Drain drain, StoreHealth store) : IHealthCheck
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
        return Task.FromResult(
            status != SiloStatus.Active ? new HealthCheckResult(context.Registration.FailureStatus, $"The silo is {status}.")
            : store.Describe() is { } outage ? HealthCheckResult.Degraded(outage)
            : HealthCheckResult.Healthy());
    }
}
