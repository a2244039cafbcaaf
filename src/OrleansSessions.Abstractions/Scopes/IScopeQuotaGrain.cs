namespace OrleansSessions.Scopes;

/// <summary>
/// What one scope uses in the whole cluster, keyed by the scope. It is kept in memory only: the holders of leases report what they hold again, so a new
/// activation learns it within <see cref="ScopeQuotas.RefreshPeriod"/>. The anonymous scope has none.
/// </summary>
[Alias("OrleansSessions.IScopeQuotaGrain"), GrainInterfaceType("orleanssessions.scopequota")]
public interface IScopeQuotaGrain : IGrainWithStringKey
{
    /// <summary>Takes tokens for questions, as many as there are up to what is wanted.</summary>
    [Alias("TakeAsks")]
    Task<TakeAsksReply> TakeAsksAsync(TakeAsksRequest request);

    /// <summary>Reports what a holder has in use, and leases what it wants. Safe to repeat.</summary>
    [Alias("Lease")]
    Task<LeaseReply> LeaseAsync(LeaseRequest request);
}

/// <summary>Constants that the quota grains and their callers share.</summary>
public static class ScopeQuotas
{
    /// <summary>How often a holder reports its leases, whether or not they have changed: 30 s.</summary>
    public static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a lease counts without a report: 2 min, so that three reports in a row can be lost. The leases of a holder that is known to be gone end at
    /// once.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
}
