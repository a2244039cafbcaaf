using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Limits;

/// <summary>Limits the sockets and event streams of a scope in the whole cluster.</summary>
internal sealed class SocketPlaces : IAsyncDisposable
{
    private readonly ScopePermits _permits;
    private readonly SocketGatewayMetrics _metrics;
    private readonly int _limit;
    private readonly long _retryAfterMs;

    public SocketPlaces(
        IOptions<ScopeLimitsOptions> limits, IOptions<SocketGatewayOptions> options, SocketGatewayInstance instance, ScopeQuotaCalls calls,
        SocketGatewayMetrics metrics, TimeProvider clock)
    {
        (_limit, _metrics, _retryAfterMs) = (limits.Value.MaxSocketsPerScope, metrics, (long)options.Value.RetryAfter.TotalMilliseconds);
        _permits = new(new(LeaseKind.Sockets, instance.Id, _limit), calls, clock);
    }

    /// <summary>Takes a place. Returns null if there was one; then return it with <see cref="Release"/>.</summary>
    /// <param name="scope">The scope of the session. The anonymous one has no limit.</param>
    public async ValueTask<ErrorMessage?> TakeAsync(string scope)
    {
        if (await _permits.TryTakeAsync(scope))
        {
            return null;
        }

        _metrics.LimitReached(LimitNames.Sockets);
        return new(
            WireErrors.QuotaExceeded, $"A caller can have at most {_limit} sockets and event streams. Close one of them first.", RetryAfterMs: _retryAfterMs);
    }

    public void Release(string scope) => _permits.Release(scope);

    public ValueTask DisposeAsync() => _permits.DisposeAsync();
}
