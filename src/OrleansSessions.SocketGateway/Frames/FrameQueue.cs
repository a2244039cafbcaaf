using System.Diagnostics;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>
/// The frames that wait for one client, in order. Their number and the amount of their text are limited. Consecutive deltas are joined, and a snapshot is
/// split into frames only when it is sent. All members require the gate of the connection, except <see cref="HasRoom"/>.
/// </summary>
internal sealed class FrameQueue(SocketGatewayOptions options)
{
    // What a frame costs in addition to its text, so that many empty frames count too.
    private const int FrameChars = 64;

    // A producer that is faster than the client must wait until no more than this part of the limits is in the queue.
    private const int RoomDivisor = 8;

    // A queue with a larger capacity is released when the client has caught up.
    private const int MaxIdleCapacity = 16;

    private Queue<object>? _waiting;
    private DeltaRun? _lastRun;
    private int _chars;

    public bool IsEmpty => _waiting is not { Count: > 0 };

    /// <summary>True once a limit was exceeded. It stays true, because a connection that is so far behind is closed.</summary>
    public bool IsOverflowing { get; private set; }

    /// <summary>True while at most an eighth of the limits is in the queue. If it is read without the gate, the result can be slightly out of date.</summary>
    public bool HasRoom => _chars <= options.MaxQueuedChars / RoomDivisor && (_waiting?.Count ?? 0) <= options.MaxQueuedFrames / RoomDivisor;

    public void Add(ServerMessage message) => AddEntry(message);

    /// <summary>Adds a delta. It is joined to the last waiting run if that is allowed and possible.</summary>
    public void AddDelta(LogEvent delta, bool isReplay, bool mayJoin)
    {
        if (mayJoin && _lastRun is { } run && run.TryJoin(delta, isReplay, options.MaxRunChars))
        {
            Count(delta.Text.Length);
            return;
        }

        var next = new DeltaRun(delta, isReplay);
        AddEntry(next);
        _lastRun = next;
    }

    public void AddSnapshot(QuestionDescription question, long epoch) => AddEntry(new SnapshotFrames(question, epoch));

    public void Clear()
    {
        _waiting = null;
        _lastRun = null;
        _chars = 0;
    }

    /// <summary>Returns the next frame, or null if there is none. A snapshot remains at the head of the queue until its last frame.</summary>
    public ServerMessage? Take()
    {
        if (_waiting is not { Count: > 0 } waiting)
        {
            Debug.Assert(_chars == 0, "What was added was not subtracted.");
            _waiting = _waiting is { } drained && drained.EnsureCapacity(0) > MaxIdleCapacity ? null : _waiting;
            return null;
        }

        var entry = waiting.Peek();
        _chars -= CostOf(entry);
        if (entry is SnapshotFrames snapshot)
        {
            var frame = snapshot.Take();
            if (snapshot.IsEmpty)
            {
                waiting.Dequeue();
            }
            else
            {
                _chars += CostOf(snapshot);
            }

            return frame;
        }

        waiting.Dequeue();
        _lastRun = entry == _lastRun ? null : _lastRun;
        return entry as ServerMessage ?? ((DeltaRun)entry).ToMessage();
    }

    private void AddEntry(object entry)
    {
        _lastRun = null;
        (_waiting ??= new()).Enqueue(entry);
        Count(CostOf(entry));
    }

    private void Count(int chars)
    {
        _chars += chars;
        IsOverflowing |= _chars > options.MaxQueuedChars || _waiting!.Count > options.MaxQueuedFrames;
    }

    /// <summary>
    /// The number of characters that an entry adds. The same number is subtracted when the entry leaves, so only <see cref="Count"/> may change it.
    /// </summary>
    private static int CostOf(object entry) => FrameChars + entry switch
    {
        DeltaRun run => run.Chars,
        ServerMessage message => message.TextChars,
        SnapshotFrames snapshot => snapshot.Chars,
        _ => throw new UnreachableException(),
    };
}
