namespace OrleansSessions.Grains.Sessions;

/// <summary>Sessions that stay awake for the same time, limited in number: the one that has stayed longest leaves first. Thread-safe.</summary>
internal sealed class StayQueue(TimeSpan stayTime, int maxStays, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Stay> _oldestFirst = [];
    private ITimer? _timer;

    /// <summary>Keeps a session until its time is over, another needs its place, or it is released.</summary>
    /// <param name="leave">Called, on any thread, when its time is over or its place is needed. The call can come just after a release.</param>
    public Stay Keep(Action<Stay> leave)
    {
        var stay = new Stay(this, leave, time.GetTimestamp());
        Stay? displaced = null;
        lock (_gate)
        {
            stay.Node = _oldestFirst.AddLast(stay);
            if (_oldestFirst.Count > maxStays)
            {
                displaced = TakeOldest();
            }
            else if (_oldestFirst.Count == 1)
            {
                SetTimer(stayTime);
            }
        }

        displaced?.Leave(displaced);
        return stay;
    }

    private void Release(Stay stay)
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
                var left = stayTime - time.GetElapsedTime(oldest.Value.Since);
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
        _timer ??= time.CreateTimer(static self => ((StayQueue)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    /// <summary>One session's time here.</summary>
    internal sealed class Stay(StayQueue queue, Action<Stay> leave, long since)
    {
        public long Since { get; } = since;

        public Action<Stay> Leave { get; } = leave;

        public LinkedListNode<Stay>? Node { get; set; }

        /// <summary>Ends this stay. Does nothing if it has ended.</summary>
        public void Release() => queue.Release(this);
    }
}
