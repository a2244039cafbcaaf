using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>Who has leased how much of one kind in one scope. Plain state: the clock and who is alive come from outside.</summary>
/// <param name="limit">For all holders together; 0 for none.</param>
/// <param name="isGone">True for a holder that is known to be gone.</param>
internal sealed class ScopeLeases(int limit, TimeProvider time, Func<string, bool> isGone)
{
    private readonly Dictionary<string, Holder> _holders = new(StringComparer.Ordinal);

    /// <summary>The sum of what is leased to holders that are not known to be gone.</summary>
    public int Total
    {
        get
        {
            Expire();
            return _holders.Values.Sum(holder => holder.Granted);
        }
    }

    /// <summary>Takes a report, and leases as much of what is wanted as there is.</summary>
    public int Lease(LeaseRequest request)
    {
        var known = _holders.GetValueOrDefault(request.Holder);
        if (known is not null && request.Version < known.Version)
        {
            return known.Granted;
        }

        // What is in use is counted in any case. It was leased before, perhaps by an earlier activation, or it was restored.
        _holders.Remove(request.Holder);
        var (inUse, wanted) = (Math.Max(0, request.InUse), Math.Max(request.InUse, request.Wanted));
        var granted = limit == 0 ? wanted : Math.Max(inUse, Math.Min(wanted, limit - Total));

        // Also if nothing is left: its version still tells a late report from a new one.
        _holders[request.Holder] = new(granted, request.Version, time.GetTimestamp());
        return granted;
    }

    private void Expire()
    {
        foreach (var (name, holder) in _holders)
        {
            if (time.GetElapsedTime(holder.ReportedAt) >= ScopeQuotas.Lease || isGone(name))
            {
                _holders.Remove(name);
            }
        }
    }

    private sealed record Holder(int Granted, long Version, long ReportedAt);
}
