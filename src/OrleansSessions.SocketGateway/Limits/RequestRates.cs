using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Limits;

/// <summary>Limits the HTTP requests of each scope in this process.</summary>
internal sealed class RequestRates : IAsyncDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string> _limiter;
    private readonly SocketGatewayMetrics _metrics;
    private readonly int _perMinute;

    public RequestRates(IOptions<SocketGatewayOptions> options, SocketGatewayMetrics metrics)
    {
        (_metrics, _perMinute) = (metrics, options.Value.MaxRequestsPerMinute);
        _limiter = PartitionedRateLimiter.Create<string, string>(scope => RateLimitPartition.GetTokenBucketLimiter(scope, _ => new()
        {
            TokenLimit = _perMinute,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = Minute / _perMinute,
            QueueLimit = 0,
        }));
    }

    /// <summary>Counts a request. Returns null if it is served.</summary>
    /// <param name="scope">The caller's own scope. The anonymous one has no limit.</param>
    public ErrorMessage? Take(string scope)
    {
        if (scope.Length == 0 || _perMinute == 0)
        {
            return null;
        }

        using var lease = _limiter.AttemptAcquire(scope);
        if (lease.IsAcquired)
        {
            return null;
        }

        _metrics.LimitReached(LimitNames.Requests);
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var left) ? left : Minute / _perMinute;
        return Refusals.RateLimited($"A caller can send at most {_perMinute} HTTP requests in a minute to one server process.", wait);
    }

    public ValueTask DisposeAsync() => _limiter.DisposeAsync();
}
