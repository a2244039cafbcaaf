using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Limits;

/// <summary>
/// Limits the questions that a scope asks in a minute. Tokens come in batches from the scope's quota grain, so most questions cost no call. Thread-safe.
/// </summary>
/// <remarks>
/// The tokens of a batch are valid for <see cref="AskTokens.Lifetime"/>. So a scope can ask at most one batch for each socket gateway more than the limit in a
/// minute. Tokens that expire are lost; because a batch grows only while it is used up, at least half of all tokens are used.
/// </remarks>
internal sealed class AskRates : IAsyncDisposable
{
    private const int BatchShare = 20;
    private const int MaxBatch = 50;
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, AskTokens> _scopes = new(StringComparer.Ordinal);
    private readonly ScopeQuotaCalls _calls;
    private readonly SocketGatewayMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly int _perMinute;
    private readonly int _maxBatch;

    public AskRates(IOptions<ScopeLimitsOptions> limits, ScopeQuotaCalls calls, SocketGatewayMetrics metrics, TimeProvider clock)
    {
        (_calls, _metrics, _clock, _perMinute) = (calls, metrics, clock, limits.Value.MaxAsksPerMinutePerScope);
        _maxBatch = Math.Clamp(_perMinute / BatchShare, 1, MaxBatch);
        _timer = clock.CreateTimer(static self => ((AskRates)self!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    /// <summary>The number of scopes that asked lately.</summary>
    internal int Count => _scopes.Count;

    /// <summary>Counts a question. Returns null if it may be asked.</summary>
    /// <param name="scope">The scope of its session. The anonymous one has no limit.</param>
    public ValueTask<ErrorMessage?> TakeAsync(string scope, string questionId) =>
        scope.Length == 0 || _perMinute == 0 ? default : TakeTokenAsync(scope, questionId);

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private async ValueTask<ErrorMessage?> TakeTokenAsync(string scope, string questionId)
    {
        while (true)
        {
            var tokens = _scopes.GetOrAdd(scope, static (key, rates) => new(key, rates._maxBatch, rates._calls, rates._clock), this);
            var (isCounted, wait) = await tokens.TakeAsync();
            if (isCounted)
            {
                return wait is { } left ? Refuse(questionId, left) : null;
            }
        }
    }

    private ErrorMessage Refuse(string questionId, TimeSpan wait)
    {
        _metrics.LimitReached(LimitNames.Asks);
        return Refusals.RateLimited($"A caller can ask at most {_perMinute} questions in a minute.", wait, questionId);
    }

    private void Sweep()
    {
        foreach (var (scope, tokens) in _scopes)
        {
            if (tokens.TryRetire())
            {
                _scopes.TryRemove(new(scope, tokens));
            }
        }
    }
}
