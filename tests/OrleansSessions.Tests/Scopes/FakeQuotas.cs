using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Scopes;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.Tests.SocketGateway;

namespace OrleansSessions.Tests.Scopes;

/// <summary>Quota grains without a cluster: the rules of the real ones, a count of the calls, and faults.</summary>
internal sealed class FakeQuotas(int limit, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (ScopeLeases Leases, TokenBucket Asks)> _scopes = new();
    private int _calls;

    /// <summary>The number of calls so far, including those that failed.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>True while every call fails.</summary>
    public bool IsDown { get; set; }

    /// <summary>Completes before a call is answered; null to answer at once.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>The last report of leases.</summary>
    public LeaseRequest? LastReport { get; private set; }

    public RecordedLog Log { get; } = new();

    public HashSet<string> Gone { get; } = [];

    /// <summary>What is leased in a scope.</summary>
    public int Leased(string scope)
    {
        // The rules are those of a grain, which runs one call at a time.
        lock (_scopes)
        {
            return Of(scope).Leases.Total;
        }
    }

    /// <summary>The silo of a scope's quota grain is lost: the next call finds a new activation.</summary>
    public void Lose(string scope) => _scopes.TryRemove(scope, out _);

    /// <summary>The calls of one process.</summary>
    public ScopeQuotaCalls Connect() => new(
        Stub.Of<IGrainFactory>((_, args) => Stub.Of<IScopeQuotaGrain>((_, request) => Call((string)args[0]!, request[0]!))), time,
        new LoggerFactory([Log]).CreateLogger<ScopeQuotaCalls>());

    private (ScopeLeases Leases, TokenBucket Asks) Of(string scope) =>
        _scopes.GetOrAdd(scope, _ => (new(limit, time, holder => Gone.Contains(holder)), new(limit, time)));

    private object Call(string scope, object request)
    {
        Interlocked.Increment(ref _calls);
        return request switch
        {
            LeaseRequest lease => AnswerAsync(() => Lease(scope, lease)),
            TakeAsksRequest asks => AnswerAsync(() => Take(scope, asks)),
            _ => throw new NotSupportedException(request.GetType().Name),
        };
    }

    private async Task<T> AnswerAsync<T>(Func<T> answer)
    {
        if (Gate is { } gate)
        {
            await gate.Task;
        }

        return IsDown ? throw new TimeoutException() : answer();
    }

    private LeaseReply Lease(string scope, LeaseRequest request)
    {
        lock (_scopes)
        {
            LastReport = request;
            return new() { Granted = Of(scope).Leases.Lease(request) };
        }
    }

    private TakeAsksReply Take(string scope, TakeAsksRequest request)
    {
        lock (_scopes)
        {
            var (_, asks) = Of(scope);
            var granted = asks.Take(request.Wanted);
            return new() { Granted = granted, RetryAfter = granted > 0 ? TimeSpan.Zero : asks.NextToken() };
        }
    }
}
