using Orleans.Configuration;

namespace OrleansSessions.Grains.Clustering;

/// <summary>Finds the other silos of a cluster where only one may run.</summary>
internal static class SingleSiloRule
{
    /// <summary>Another active silo, or null.</summary>
    public static SiloAddress? FindOther(SiloAddress silo, MembershipTableData table, ClusterMembershipOptions options, DateTime utcNow) =>
        ActiveOthers(silo, table, options, utcNow).FirstOrDefault();

    /// <summary>Another active silo that was started earlier, or null. Of silos that start together, all but one find one.</summary>
    public static SiloAddress? FindElder(SiloAddress silo, MembershipTableData table, ClusterMembershipOptions options, DateTime utcNow) =>
        ActiveOthers(silo, table, options, utcNow).FirstOrDefault(other => IsElder(other, silo));

    /// <summary>
    /// A silo that has not renewed its row for as long as Orleans tolerates counts as crashed: where only one silo may run,
    /// no other is there to declare it dead.
    /// </summary>
    private static IEnumerable<SiloAddress> ActiveOthers(
        SiloAddress silo, MembershipTableData table, ClusterMembershipOptions options, DateTime utcNow)
    {
        var oldest = utcNow - (options.IAmAliveTablePublishTimeout * options.NumMissedTableIAmAliveLimit);
        return table.Members.Select(row => row.Item1)
            .Where(row => row.Status == SiloStatus.Active && !row.SiloAddress.Equals(silo) && LastSeen(row) >= oldest)
            .Select(row => row.SiloAddress);
    }

    /// <summary>A silo's generation is the time of its start.</summary>
    private static bool IsElder(SiloAddress one, SiloAddress other) =>
        one.Generation != other.Generation ? one.Generation < other.Generation : one.CompareTo(other) < 0;

    private static DateTime LastSeen(MembershipEntry row) => row.IAmAliveTime > row.StartTime ? row.IAmAliveTime : row.StartTime;
}
