using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Placement;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>
/// Counts what one scope uses, in memory. After the loss of its silo it begins with a full bucket and without leases, and learns of each holder with its next
/// report. It stays active while anything is leased, and until its bucket is full again: a scope must not get a full one by waiting for less.
/// </summary>
[GrainType("orleanssessions.scopequota"), PreferLocalPlacement]
internal sealed class ScopeQuotaGrain : Grain, IScopeQuotaGrain
{
    private readonly TokenBucket? _asks;
    private readonly ScopeLeases _sockets;
    private readonly ScopeLeases _openQuestions;
    private readonly LeaseHolders _holders;

    public ScopeQuotaGrain(
        IOptions<ScopeLimitsOptions> limits, LeaseHolders holders, [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
    {
        _holders = holders;
        _asks = limits.Value.MaxAsksPerMinutePerScope is > 0 and var perMinute ? new(perMinute, time) : null;
        _sockets = new(limits.Value.MaxSocketsPerScope, time, holder => holders.IsGone(LeaseKind.Sockets, holder));
        _openQuestions = new(limits.Value.MaxOpenQuestionsPerScope, time, holder => holders.IsGone(LeaseKind.OpenQuestions, holder));
    }

    public Task<TakeAsksReply> TakeAsksAsync(TakeAsksRequest request)
    {
        if (_asks is null)
        {
            return Task.FromResult(new TakeAsksReply { Granted = request.Wanted });
        }

        var granted = _asks.Take(Math.Max(1, request.Wanted));
        StayActive();
        return Task.FromResult(new TakeAsksReply { Granted = granted, RetryAfter = granted > 0 ? TimeSpan.Zero : _asks.NextToken() });
    }

    public Task<LeaseReply> LeaseAsync(LeaseRequest request)
    {
        _holders.NoteAlive(request.Kind, request.Holder);
        var granted = (request.Kind == LeaseKind.Sockets ? _sockets : _openQuestions).Lease(request);
        StayActive();
        return Task.FromResult(new LeaseReply { Granted = granted });
    }

    private void StayActive()
    {
        // A new delay that is shorter would not shorten an earlier one: only the end of a delay makes Orleans look at the grain sooner.
        DelayDeactivation(TimeSpan.Zero);
        DelayDeactivation(_sockets.Total > 0 || _openQuestions.Total > 0 ? ScopeQuotas.Lease : _asks?.UntilFull() ?? TimeSpan.Zero);
    }
}
