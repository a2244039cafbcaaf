namespace OrleansSessions.Grains.Clustering;

/// <summary>
/// Decides from successive reads of the membership table whether a silo is evicted. One read without its row is not enough, because a store that has just
/// failed over may return an older table once. A read that failed proves nothing, so it is not passed in.
/// </summary>
/// <remarks>
/// A silo writes each second that it is alive. Such a write reads the row first, so it can bring the row back into a table that was lost in between. The
/// version tells: it only grows, and a table that has begun again is older than the one in which this silo was first seen.
/// </remarks>
internal sealed class EvictionRule(SiloAddress silo)
{
    private const int MissedReads = 2;

    private int? _firstVersion;
    private int _missed;

    /// <summary>Takes the next read into account. True if the silo is evicted.</summary>
    public bool Judge(MembershipTableData read)
    {
        var status = StatusOf(read);
        _missed = status is null || HasBegunAgain(read) ? _missed + 1 : 0;
        _firstVersion ??= status is null ? null : read.Version.Version;
        return status == SiloStatus.Dead || _missed >= MissedReads;
    }

    /// <summary>Why a read evicts the silo, for people.</summary>
    public string Describe(MembershipTableData read) => HasBegunAgain(read)
        ? $"The membership table of its cluster has begun again: it has version {read.Version.Version}, and had version {_firstVersion} when this silo was first in it."
        : $"It is {StatusOf(read)?.ToString() ?? "missing"} in the membership table of its cluster, which has {read.Members.Count} rows.";

    private bool HasBegunAgain(MembershipTableData read) => read.Version.Version < _firstVersion;

    private SiloStatus? StatusOf(MembershipTableData read) =>
        read.Members.Select(row => row.Item1).FirstOrDefault(row => row.SiloAddress.Equals(silo))?.Status;
}
