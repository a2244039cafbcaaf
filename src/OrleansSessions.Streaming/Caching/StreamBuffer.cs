namespace OrleansSessions.Streaming.Caching;

/// <summary>
/// The items of one stream that at least one subscriber has not received yet, oldest first, in a ring that grows up to its capacity.
/// The newest items are also kept for a short time when no subscriber needs them, for a subscriber whose handshake is in progress.
/// Not safe for concurrent use: the cache holds its lock.
/// </summary>
internal sealed class StreamBuffer(StreamId stream, int capacity, int keptForLateSubscribers)
{
    private const int SmallestRing = 16;
    private const long None = -1;

    private readonly List<StreamCursor> _cursors = [];
    private PushItem?[] _ring = new PushItem?[SmallestRing];
    private long _first;
    private long _end;
    private long _seenBySweep;
    private long _expired;
    private long _resumeAt = None;

    public StreamId Stream => stream;

    public int Count => (int)(_end - _first);

    public int CursorCount => _cursors.Count;

    public bool IsUnused => _cursors.Count == 0 && Count == 0 && _resumeAt == None;

    /// <summary>Adds an item. If there is no room, drops the oldest item.</summary>
    /// <param name="newlyStuck">The number of cursors that lost an item for the first time since they last moved.</param>
    /// <returns>The number of items dropped before a subscriber received them, counted once for each such subscriber.</returns>
    public int Add(PushItem item, out int newlyStuck)
    {
        newlyStuck = 0;
        var lost = 0;
        if (Count == Math.Min(_ring.Length, capacity))
        {
            Trim();
            if (Count == capacity)
            {
                lost = DropOldest(out newlyStuck);
            }
            else if (Count == _ring.Length)
            {
                Resize(_ring.Length * 2);
            }
        }

        _ring[Slot(_end++)] = item;
        return lost;
    }

    /// <summary>
    /// Adds a cursor before the first item whose number is at least <paramref name="number"/>. Without a number, the cursor starts where
    /// the last cursor lost its place, otherwise at the end.
    /// </summary>
    public StreamCursor Attach(PerStreamCache cache, long? number)
    {
        var position = number is { } from ? Find(from) : _resumeAt == None ? _end : Math.Max(_resumeAt, _first);
        _resumeAt = None;
        var cursor = new StreamCursor(cache, this, position);
        _cursors.Add(cursor);
        return cursor;
    }

    public void Detach(StreamCursor cursor)
    {
        _cursors.Remove(cursor);
        Trim();
    }

    /// <summary>Returns the next item, or null at the end.</summary>
    public PushItem? Next(StreamCursor cursor)
    {
        if (cursor.Position == _end)
        {
            Trim();
            return null;
        }

        cursor.IsStuck = false;
        return _ring[Slot(cursor.Position++)];
    }

    /// <summary>Returns how many items can be added before a subscriber that is not stuck loses one, at most <paramref name="wanted"/>.</summary>
    public int Room(int wanted)
    {
        if (capacity - Count >= wanted)
        {
            return wanted;
        }

        var slowest = _end;
        foreach (var cursor in _cursors)
        {
            slowest = cursor.IsStuck ? slowest : Math.Min(slowest, cursor.Position);
        }

        return (int)Math.Min(wanted, capacity - (_end - slowest));
    }

    /// <summary>Marks as stuck the subscribers that prevent the buffer from taking more items.</summary>
    public void MarkStuck()
    {
        foreach (var cursor in _cursors)
        {
            cursor.IsStuck |= _end - cursor.Position >= capacity;
        }
    }

    /// <summary>Returns and resets the number of items that the cursor lost, and keeps its position for the cursor that replaces it.</summary>
    public long TakeLost(StreamCursor cursor)
    {
        var lost = cursor.Lost;
        cursor.Lost = 0;
        _resumeAt = cursor.Position;
        return lost;
    }

    /// <summary>Removes the items that were already here at the previous sweep and that no subscriber needs.</summary>
    /// <returns>True if another sweep would remove more.</returns>
    public bool Sweep()
    {
        _expired = _seenBySweep;
        _seenBySweep = _end;
        Trim();
        if (Count == 0 && _ring.Length > SmallestRing)
        {
            _ring = new PushItem?[SmallestRing];
        }

        return Count > 0 && _expired < _end;
    }

    private void Trim()
    {
        var needed = Math.Max(_expired, _end - keptForLateSubscribers);
        foreach (var cursor in _cursors)
        {
            needed = Math.Min(needed, cursor.Position);
        }

        if (_resumeAt != None)
        {
            needed = Math.Min(needed, _resumeAt);
        }

        while (_first < needed)
        {
            _ring[Slot(_first++)] = null;
        }
    }

    private int DropOldest(out int newlyStuck)
    {
        newlyStuck = 0;
        var lost = 0;
        foreach (var cursor in _cursors)
        {
            if (cursor.Position == _first)
            {
                newlyStuck += cursor.Lost == 0 ? 1 : 0;
                cursor.Position++;
                cursor.Lost++;
                lost++;
            }
        }

        _ring[Slot(_first++)] = null;
        return lost;
    }

    private long Find(long number)
    {
        var position = _first;
        while (position < _end && _ring[Slot(position)]!.Number < number)
        {
            position++;
        }

        return position;
    }

    private void Resize(int length)
    {
        var ring = new PushItem?[length];
        for (var position = _first; position < _end; position++)
        {
            ring[position & (length - 1)] = _ring[Slot(position)];
        }

        _ring = ring;
    }

    // The length is a power of two.
    private int Slot(long position) => (int)(position & (_ring.Length - 1));
}
