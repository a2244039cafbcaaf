using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Sessions of this silo that were never asked and whose last socket has gone. They stay awake for a moment, so that a page that is opened, dropped
/// and opened again finds the epoch that it was told. Bounded in number and time: the one that has stayed longest goes first. Thread-safe.
/// </summary>
internal sealed class UnaskedSessions([FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    /// <summary>How long a client may take to come back: longer than any wait between its attempts.</summary>
    public static readonly TimeSpan StayTime = TimeSpan.FromMinutes(2);

    /// <summary>How many stay at once, because each takes an activation's memory.</summary>
    public const int MaxStays = 10_000;

    private readonly Lock _gate = new();
    private readonly LinkedList<Stay> _oldestFirst = [];
    private ITimer? _timer;

    /// <summary>Keeps a session until its time is over, another needs its place, or it is released.</summary>
    /// <param name="leave">Called, on any thread, where its time is over or its place is needed. It may come just after a release.</param>
    public Stay Keep(Action<Stay> leave)
    {
        var stay = new Stay(leave, time.GetTimestamp());
        Stay? displaced = null;
        lock (_gate)
        {
            stay.Node = _oldestFirst.AddLast(stay);
            if (_oldestFirst.Count > MaxStays)
            {
                displaced = TakeOldest();
            }
            else if (_oldestFirst.Count == 1)
            {
                SetTimer(StayTime);
            }
        }

        displaced?.Leave(displaced);
        return stay;
    }

    /// <summary>Does nothing for one that has left.</summary>
    public void Release(Stay stay)
    {
        lock (_gate)
        {
            if (stay.Node is { } node)
            {
                stay.Node = null;
                _oldestFirst.Remove(node);
            }
        }
    }

    private void OnTimer()
    {
        var over = new List<Stay>();
        lock (_gate)
        {
            while (_oldestFirst.First is { } oldest)
            {
                var left = StayTime - time.GetElapsedTime(oldest.Value.Since);
                if (left > TimeSpan.Zero)
                {
                    SetTimer(left);
                    break;
                }

                over.Add(TakeOldest());
            }
        }

        over.ForEach(static stay => stay.Leave(stay));
    }

    private Stay TakeOldest()
    {
        var stay = _oldestFirst.First!.Value;
        _oldestFirst.RemoveFirst();
        stay.Node = null;
        return stay;
    }

    private void SetTimer(TimeSpan due)
    {
        _timer ??= time.CreateTimer(static self => ((UnaskedSessions)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    /// <summary>One session's time here.</summary>
    internal sealed class Stay(Action<Stay> leave, long since)
    {
        public long Since { get; } = since;

        public Action<Stay> Leave { get; } = leave;

        public LinkedListNode<Stay>? Node { get; set; }
    }
}
