using OrleansSessions.Gateways;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>Tracks the item numbers and heartbeats of the silos, to find out whether the subscription works. Thread-safe.</summary>
internal sealed class SiloHeartbeats(TimeProvider clock, TimeSpan missedAfter, TimeSpan readyTimeout)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SiloAddress, Silo> _silos = [];
    private readonly long _startedAt = clock.GetTimestamp();
    private HashSet<SiloAddress> _active = [];
    private HashSet<SiloAddress>? _activeAtStart;
    private long _membership = -1;
    private bool _wasReady;

    /// <summary>Records an item.</summary>
    /// <returns>True if items of that silo before this one are missing.</returns>
    public bool OnItem(GatewayItem item)
    {
        var now = clock.GetTimestamp();
        var isHeartbeat = item.Kind == GatewayItemKind.Heartbeat;
        lock (_gate)
        {
            if (!_silos.TryGetValue(item.Silo, out var silo))
            {
                _silos[item.Silo] = new() { Number = item.Number, HeardAt = now };
                return item.Number > (isHeartbeat ? 0 : 1);
            }

            silo.HeardAt = now;
            // A lower number is a repeat, or was overtaken: the hole that it left has been reported.
            var expected = isHeartbeat ? silo.Number : silo.Number + 1;
            silo.Number = Math.Max(silo.Number, item.Number);
            return item.Number > expected;
        }
    }

    /// <summary>Applies the membership that a heartbeat contains.</summary>
    /// <returns>The silos that have left since then, or null if there are none.</returns>
    public HashSet<SiloAddress>? OnMembership(GatewayItem heartbeat)
    {
        lock (_gate)
        {
            // Versions start again with a store that lost everything. Then no silo of the membership that is known here is heard any more.
            var now = clock.GetTimestamp();
            if (heartbeat.MembershipVersion <= _membership && _active.Any(silo => IsHeard(silo, now)))
            {
                return null;
            }

            var left = _active;
            _membership = heartbeat.MembershipVersion;
            _active = [.. heartbeat.ActiveSilos];
            _activeAtStart ??= [.. _active];
            left.ExceptWith(_active);
            foreach (var gone in _silos.Keys.Where(silo => !_active.Contains(silo)).ToList())
            {
                _silos.Remove(gone);
            }

            return left.Count == 0 ? null : left;
        }
    }

    /// <summary>The number of active silos, as the last heartbeat lists them.</summary>
    public int ActiveCount
    {
        get
        {
            lock (_gate)
            {
                return _active.Count;
            }
        }
    }

    /// <summary>True if the last heartbeat lists this silo as active.</summary>
    public bool IsActive(SiloAddress silo)
    {
        lock (_gate)
        {
            return _active.Contains(silo);
        }
    }

    /// <summary>Returns the active silos that count as lost, because nothing was received from them for too long.</summary>
    public List<SiloAddress> Missing()
    {
        var now = clock.GetTimestamp();
        lock (_gate)
        {
            return [.. _active.Where(silo => !IsHeard(silo, now))];
        }
    }

    /// <summary>
    /// True once items were received from all silos of the first membership, or from one silo after the time-out. False again only if none is heard.
    /// </summary>
    public bool IsReady()
    {
        var now = clock.GetTimestamp();
        lock (_gate)
        {
            var isAnyHeard = _silos.Keys.Any(silo => IsHeard(silo, now));
            var isPatient = clock.GetElapsedTime(_startedAt, now) < readyTimeout;
            _wasReady |= _activeAtStart is not null && (isPatient ? _activeAtStart.All(_silos.ContainsKey) : isAnyHeard);
            return _wasReady && isAnyHeard;
        }
    }

    private bool IsHeard(SiloAddress address, long now) =>
        _silos.TryGetValue(address, out var silo) && clock.GetElapsedTime(silo.HeardAt, now) <= missedAfter;

    private sealed class Silo
    {
        public long Number { get; set; }

        public long HeardAt { get; set; }
    }
}
