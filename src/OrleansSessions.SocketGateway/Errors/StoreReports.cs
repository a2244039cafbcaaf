using OrleansSessions.Gateways;
using OrleansSessions.Stores;

namespace OrleansSessions.SocketGateway.Errors;

/// <summary>
/// Tells the faults of an outage of the store from others. Where this process has no silo, it also learns here that the store is away: from the heartbeats of the
/// silos and from failed calls. Thread-safe.
/// </summary>
internal sealed class StoreReports(StoreHealth health, SocketGatewayInstance instance, TimeProvider clock)
{
    /// <summary>A report counts for so long: some heartbeats, which come every second.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<SiloAddress, long> _away = [];
    private long? _failedAt;

    /// <summary>True if a call failed because the store is away. The outage has its line in the log, so such a fault needs none.</summary>
    public bool IsOutage(Exception fault)
    {
        if (fault is not StoreUnavailableException)
        {
            // The grain directory and the membership can be in the same store: a call that did not reach its session then has failed because of it.
            return health.IsAway && (fault is TimeoutException || GrainFaults.IsUnreachable(fault));
        }

        if (instance.Host is null)
        {
            lock (_gate)
            {
                _failedAt = clock.GetTimestamp();
                Leave();
            }
        }

        return true;
    }

    public void OnHeartbeat(GatewayItem heartbeat)
    {
        if (instance.Host is not null || (!heartbeat.IsStoreAway && !health.IsAway))
        {
            return;
        }

        var now = clock.GetTimestamp();
        lock (_gate)
        {
            if (heartbeat.IsStoreAway)
            {
                _away[heartbeat.Silo] = now;
                Leave();
                return;
            }

            _away.Remove(heartbeat.Silo);
            if (!_away.Values.Any(IsRecent) && (_failedAt is not { } failedAt || !IsRecent(failedAt)))
            {
                _away.Clear();
                health.Return();
            }
        }

        bool IsRecent(long at) => clock.GetElapsedTime(at, now) < Memory;
    }

    private void Leave()
    {
        if (health.TryLeave(null))
        {
            health.Announce();
        }
    }
}
