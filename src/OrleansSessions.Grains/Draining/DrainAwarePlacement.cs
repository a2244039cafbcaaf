using OrleansSessions.Grains.Gateways;
using Orleans.Runtime.Placement;

namespace OrleansSessions.Grains.Draining;

/// <summary>
/// Prefers the local silo, as Orleans' own director for <see cref="PreferLocalPlacement"/> does, but leaves silos out that drain: those are still active members.
/// A placement filter would be in the manifest of the cluster, and silos of an earlier version could not resolve it.
/// </summary>
internal sealed class DrainAwarePlacement(ClusterView cluster) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        var staying = Array.FindAll(compatible, silo => !cluster.IsLeaving(silo));

        // Where all of them drain, the session is better here for a moment than nowhere.
        var silos = staying.Length > 0 ? staying : compatible;
        var chosen = IPlacementDirector.GetPlacementHint(target.RequestContextData, silos)
            ?? (context.LocalSiloStatus == SiloStatus.Active && silos.Contains(context.LocalSilo) ? context.LocalSilo : silos[Random.Shared.Next(silos.Length)]);
        return Task.FromResult(chosen);
    }
}
