using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What all session grains of a silo share.</summary>
internal sealed class SessionServices(
    IOptions<SessionsOptions> options, SessionMetrics metrics, LocalSessions local, ScopeUse scopes, SiloStanding standing,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    private long _lastEpoch;

    public SessionsOptions Options { get; } = options.Value;

    public SessionMetrics Metrics { get; } = metrics;

    /// <summary>The active sessions of the silo.</summary>
    public LocalSessions Local { get; } = local;

    public ClusterEviction Eviction => Local.Eviction;

    public ClusterView Cluster => Local.Cluster;

    public SiloStanding Standing { get; } = standing;

    public ScopeUse Scopes { get; } = scopes;

    public TimeProvider Time { get; } = time;

    /// <summary>In microseconds, below a second: two silos whose clocks agree must not make the same epoch.</summary>
    public int EpochOffset { get; init; } = Random.Shared.Next(1_000_000);

    /// <summary>
    /// A new epoch: microseconds since the year 1 and up to a second more, made to differ from every other of this silo and to exceed <paramref name="after"/>.
    /// </summary>
    public long NewEpoch(long after = 0)
    {
        var now = Math.Max((Time.GetUtcNow().UtcTicks / 10) + EpochOffset, after + 1);
        while (true)
        {
            var last = Interlocked.Read(ref _lastEpoch);
            var next = Math.Max(now, last + 1);
            if (Interlocked.CompareExchange(ref _lastEpoch, next, last) == last)
            {
                return next;
            }
        }
    }
}
