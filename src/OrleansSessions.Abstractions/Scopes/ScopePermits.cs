using System.Collections.Concurrent;

namespace OrleansSessions.Scopes;

/// <summary>
/// The permits of this process for one kind of thing, in all scopes: how many are in use, and how many the scopes' quota grains have leased to it. Taking one
/// costs a call only if all leased ones are in use. Thread-safe.
/// </summary>
/// <remarks>
/// Every permit in use is reported to the quota grain within a call, or within <see cref="ScopeQuotas.RefreshPeriod"/> if the grain could not be asked.
/// The sum of a scope in the cluster stays within the limit, with two exceptions: while a quota grain cannot be asked, everything is allowed; and an activation
/// that is new counts a holder from its next report on, so until then the others can lease up to the limit once more.
/// </remarks>
internal sealed class ScopePermits : IAsyncDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ScopeLease> _leases = new(StringComparer.Ordinal);
    private readonly LeaseTerms _terms;
    private readonly ScopeQuotaCalls _calls;
    private readonly ITimer _timer;
    private long _version;

    public ScopePermits(LeaseTerms terms, ScopeQuotaCalls calls, TimeProvider time)
    {
        (_terms, _calls) = (terms, calls);
        Clock = time;
        _timer = time.CreateTimer(static self => ((ScopePermits)self!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    internal LeaseTerms Terms => _terms;

    internal TimeProvider Clock { get; }

    /// <summary>The number of the next report. A scope that is let go of and taken up again must go on with higher numbers.</summary>
    internal long NextVersion() => Interlocked.Increment(ref _version);

    /// <summary>The number of scopes that hold something here.</summary>
    internal int Count => _leases.Count;

    /// <summary>Takes a permit if the limit allows it. Return it with <see cref="Release"/>.</summary>
    public ValueTask<bool> TryTakeAsync(string scope) => IsUnlimited(scope) ? new(true) : Use(scope, static lease => lease.TryTake());

    /// <summary>Takes permits for what exists already, also above the limit.</summary>
    public void Take(string scope, int count)
    {
        if (!IsUnlimited(scope))
        {
            TakeLeased(scope, count);
        }
    }

    /// <summary>Returns permits.</summary>
    public void Release(string scope, int count = 1)
    {
        if (!IsUnlimited(scope) && _leases.TryGetValue(scope, out var lease))
        {
            lease.Release(count);
        }
    }

    /// <summary>Stops reporting. What is leased ends with this process, which the quota grains learn from the membership.</summary>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    internal Task<LeaseReply?> ReportAsync(string scope, LeaseRequest request) => _calls.TryAsync(scope, quota => quota.LeaseAsync(request));

    private void TakeLeased(string scope, int count) => Use(scope, lease => lease.Take(count));

    /// <summary>A lease that is replaced while it is looked up says so, and the next one is used.</summary>
    private T Use<T>(string scope, Func<ScopeLease, T?> use)
        where T : struct
    {
        while (true)
        {
            var lease = _leases.GetOrAdd(scope, static (key, permits) => new ScopeLease(key, permits), this);
            if (use(lease) is { } result)
            {
                return result;
            }
        }
    }

    private bool IsUnlimited(string scope) => scope.Length == 0 || _terms.Limit == 0;

    private void Sweep()
    {
        foreach (var (scope, lease) in _leases)
        {
            if (lease.Sweep())
            {
                _leases.TryRemove(new(scope, lease));
            }
        }
    }
}

/// <summary>What is leased, by whom, and how much of it a scope can have.</summary>
/// <param name="Holder">This process, as the quota grains know it.</param>
/// <param name="Limit">For one scope in the whole cluster; 0 for none.</param>
internal sealed record LeaseTerms(LeaseKind Kind, string Holder, int Limit);
