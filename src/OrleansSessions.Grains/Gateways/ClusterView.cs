using OrleansSessions.Clustering;

namespace OrleansSessions.Grains.Gateways;

/// <summary>What this silo knows of itself and of the others.</summary>
internal sealed class ClusterView(ILocalSiloDetails local, IClusterMembershipService membership, Drain drain)
{
    private volatile HashSet<SiloAddress> _draining = [];

    public SiloAddress Local { get; } = local.SiloAddress;

    public ClusterMembershipSnapshot Members => membership.CurrentSnapshot;

    /// <summary>True once this silo drains.</summary>
    public bool IsDraining => drain.IsDraining;

    /// <summary>True if this silo drains, and there is one that does not.</summary>
    public bool MustActivateElsewhere =>
        IsDraining && Members.Members.Values.Any(member => member.Status == SiloStatus.Active && !IsLeaving(member.SiloAddress));

    /// <summary>Takes what the registry of socket gateways says: each silo tells it that it drains, and asks it every second.</summary>
    public void NoteDraining(IEnumerable<SiloAddress> silos) => _draining = [.. silos];

    /// <summary>True if new sessions should not be activated on that silo.</summary>
    public bool IsLeaving(SiloAddress silo) => silo.Equals(Local) ? IsDraining : _draining.Contains(silo);
}
