using Microsoft.Extensions.DependencyInjection;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Sessions of this silo that were never asked and whose last socket has gone. They stay awake for a moment, so that a client that connects, disconnects
/// and connects again finds the epoch that it was sent. Limited in number and time: the one that has stayed longest leaves first. Thread-safe.
/// </summary>
internal sealed class UnaskedSessions([FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    /// <summary>How long a client may take to come back. It is longer than any wait between two attempts of a client.</summary>
    public static readonly TimeSpan StayTime = TimeSpan.FromMinutes(2);

    /// <summary>How many may stay at the same time, because each takes the memory of an activation.</summary>
    public const int MaxStays = 10_000;

    private readonly Lock _gate = new();
    private readonly LinkedList<Stay> _oldestFirst = [];
    private ITimer? _timer;

    /// <summary>Keeps a session until its time is over, another needs its place, or it is released.</summary>
    /// <param name="leave">Called, on any thread, when its time is over or its place is needed. The call can come just after a release.</param>
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

    /// <summary>Ends a stay. Does nothing for one that has ended.</summary>
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
