using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using OrleansSessions.Clustering;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What all session grains of a silo share.</summary>
internal sealed class SessionServices(
    IOptions<SessionsOptions> options, ActiveResponder responder, SocketGatewayOutboxes outboxes, ParkedSessions parked, UnaskedSessions unasked,
    SessionMetrics metrics, ClusterEviction eviction,
    [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time, IServiceProvider services)
{
    private long _lastEpoch;

    public SessionsOptions Options { get; } = options.Value;

    public ActiveResponder Responder { get; } = responder;

    public SocketGatewayOutboxes Outboxes { get; } = outboxes;

    public ParkedSessions Parked { get; } = parked;

    public UnaskedSessions Unasked { get; } = unasked;

    public SessionMetrics Metrics { get; } = metrics;

    public ClusterEviction Eviction { get; } = eviction;

    public TimeProvider Time { get; } = time;

    /// <summary>True where <c>accepted</c> and <c>done</c> leave only after their write.</summary>
    public bool IsStored { get; } = options.Value.Persistence switch
    {
        SessionPersistence.Stored => true,
        SessionPersistence.Memory => false,
        _ => services.GetKeyedService<IGrainStorage>(SessionsOptions.StorageName) is not null,
    };

    /// <summary>A new epoch: microseconds since the year 1, made to differ from every other of this silo and to exceed <paramref name="after"/>.</summary>
    public long NewEpoch(long after = 0)
    {
        var now = Math.Max(Time.GetUtcNow().UtcTicks / 10, after + 1);
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
