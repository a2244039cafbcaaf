using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Grains.Records;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The sleeping sessions of this process, where no store is configured and this silo is the only one: another silo would not find them.
/// Limited in number, bytes and age: the one that has slept longest is forgotten first.
/// They end with the process, so old numbers cannot come back after a crash. Their age follows the monotonic clock: setting the wall clock forgets none.
/// </summary>
internal sealed class ParkedSessions(IOptions<SessionsOptions> options, [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    /// <summary>How often the ones whose time is over are looked for, or once in the retention if that is shorter.</summary>
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<Sleeper>> _byKey = [];
    private readonly LinkedList<Sleeper> _oldestFirst = [];
    private ITimer? _timer;
    private long _bytes;

    /// <summary>The number of sessions that sleep here.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byKey.Count;
            }
        }
    }

    /// <param name="unusedFor">How long no one has used the session.</param>
    public void Park(string key, SessionRecord state, TimeSpan unusedFor)
    {
        lock (_gate)
        {
            Remove(key);
            _byKey[key] = _oldestFirst.AddLast(new Sleeper(key, state, unusedFor, time.GetTimestamp()));
            _bytes += state.Weight;
            Trim();
            if (_byKey.Count == 1)
            {
                SetTimer();
            }
        }
    }

    /// <summary>Takes a session's state out, or null where none is parked.</summary>
    public SessionRecord? Take(string key)
    {
        lock (_gate)
        {
            Trim();
            if (Remove(key) is not { } sleeper)
            {
                return null;
            }

            sleeper.State.UsedAt = time.GetUtcNow() - UnusedFor(sleeper);
            return sleeper.State;
        }
    }

    /// <summary>Forgets the ones whose time is over, also if no session comes or wakes any more.</summary>
    private void Sweep()
    {
        lock (_gate)
        {
            Trim();
            if (_byKey.Count > 0)
            {
                SetTimer();
            }
        }
    }

    private void SetTimer()
    {
        var period = options.Value.Retention < SweepPeriod ? options.Value.Retention : SweepPeriod;
        _timer ??= time.CreateTimer(static self => ((ParkedSessions)self!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(period, Timeout.InfiniteTimeSpan);
    }

    private TimeSpan UnusedFor(Sleeper sleeper) => sleeper.UnusedBefore + time.GetElapsedTime(sleeper.Since);

    private Sleeper? Remove(string key)
    {
        if (!_byKey.Remove(key, out var node))
        {
            return null;
        }

        _oldestFirst.Remove(node);
        _bytes -= node.Value.State.Weight;
        return node.Value;
    }

    private void Trim()
    {
        var limits = options.Value;
        while (_oldestFirst.First is { } oldest
            && (_byKey.Count > limits.MaxParkedSessions || _bytes > limits.MaxParkedBytes || UnusedFor(oldest.Value) > limits.Retention))
        {
            Remove(oldest.Value.Key);
        }
    }

    private sealed record Sleeper(string Key, SessionRecord State, TimeSpan UnusedBefore, long Since);
}
