namespace OrleansSessions.Grains.Clustering;

/// <summary>
/// Decides from successive reads of the membership table whether a silo is evicted. One read without its row is not enough, because a store that has just
/// failed over may return an older table once. A read that failed proves nothing, so it is not passed in.
/// </summary>
internal sealed class EvictionRule(SiloAddress silo)
{
    private const int MissedReads = 2;

    private int _missed;

    /// <summary>Takes the next read into account. True if the silo is evicted.</summary>
    public bool Judge(MembershipTableData read)
    {
        var status = StatusOf(read);
        _missed = status is null ? _missed + 1 : 0;
        return status == SiloStatus.Dead || _missed >= MissedReads;
    }

    /// <summary>The status in the silo's own row, or null where the table does not have it.</summary>
    public SiloStatus? StatusOf(MembershipTableData read) =>
        read.Members.Select(row => row.Item1).FirstOrDefault(row => row.SiloAddress.Equals(silo))?.Status;
}
