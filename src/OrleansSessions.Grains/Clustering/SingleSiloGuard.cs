using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Clustering;

/// <summary>Finds a second silo where there may be only one: sessions that live in one silo's memory are not found by another.</summary>
internal sealed class SingleSiloGuard(
    ILocalSiloDetails silo, SessionStores stores, IOptions<SessionsOptions> sessions, IOptions<ClusterMembershipOptions> membership,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time)
{
    /// <summary>True where there may be only one silo.</summary>
    public bool IsNeeded => !stores.IsStored;

    /// <summary>Why this silo must not start, because any other is active; null where it may.</summary>
    public string? FindOther(MembershipTableData read) => Explain(SingleSiloRule.FindOther(silo.SiloAddress, read, membership.Value, UtcNow));

    /// <summary>Why this silo must stop, because one that started earlier is active; null where it may go on.</summary>
    public string? FindElder(MembershipTableData read) => Explain(SingleSiloRule.FindElder(silo.SiloAddress, read, membership.Value, UtcNow));

    private DateTime UtcNow => time.GetUtcNow().UtcDateTime;

    private string? Explain(SiloAddress? other) => !IsNeeded || other is null
        ? null
        : $"Sessions:Persistence is {sessions.Value.Persistence}, and sessions live in the memory of one silo, but {other} is an active silo of cluster "
            + $"'{silo.ClusterId}' already. Give the host a grain storage named '{SessionsOptions.StorageName}' and set Sessions:Persistence to Auto or Stored, "
            + "or run one silo.";
}
