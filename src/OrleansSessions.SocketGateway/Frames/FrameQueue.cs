using System.Diagnostics;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>
/// The frames that wait for one client, in order. Their memory is limited. Consecutive deltas are joined, and a snapshot is
/// split into frames only when it is sent. All members require the gate of the connection, except <see cref="HasRoom"/>.
/// </summary>
/// <remarks>
/// Everything is counted as if this queue alone held it: two bytes for each character, and what the objects around the text need. The events of a session
/// are often shared by several followers, but a client that does not read can be the last one that keeps them.
/// </remarks>
internal sealed class FrameQueue(SocketGatewayOptions options)
{
    // A frame with its event, their strings, and the place in the queue.
    private const int FrameBytes = 256;

    // A reply that is longer than this is a whole answer. It comes once for each question, and the next question waits until there is room.
    private const int MaxReplyBytes = 4096;

    // A queue with a larger capacity is released when the client has caught up.
    private const int MaxIdleCapacity = 16;

    private Queue<object>? _waiting;
    private DeltaRun? _lastRun;
    private int _bytes;
    private int _excess;

    public bool IsEmpty => _waiting is not { Count: > 0 };

    /// <summary>True while nothing is to be added that can wait elsewhere, as the events of the log can.</summary>
    public bool IsFull => _bytes >= options.MaxQueuedBytes;

    /// <summary>
    /// True while at most half of the limit is in the queue. If it is read without the gate, the result can be slightly out of date.
    /// </summary>
    public bool HasRoom => _bytes <= options.MaxQueuedBytes / 2;

    /// <summary>
    /// True once a full queue was given as many bytes again, which only replies to a client that does not read can do. It stays true, because the connection
    /// is closed then.
    /// </summary>
    public bool IsOverflowing { get; private set; }

    /// <summary>The number of bytes that have left the queue.</summary>
    public long TakenBytes { get; private set; }

    public void Add(ServerMessage message) => AddEntry(message);

    /// <summary>Adds a delta. It is joined to the last waiting run if that is allowed and possible.</summary>
    public void AddDelta(LogEvent delta, bool isReplay, bool mayJoin)
    {
        if (mayJoin && _lastRun is { } run)
        {
            var before = run.Bytes;
            if (run.TryJoin(delta, isReplay, options.MaxRunChars))
            {
                Count(run.Bytes - before);
                return;
            }
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
        _bytes = 0;
    }

    /// <summary>Returns the next frame, or null if there is none. A snapshot remains at the head of the queue until its last frame.</summary>
    public ServerMessage? Take()
    {
        if (_waiting is not { Count: > 0 } waiting)
        {
            Debug.Assert(_bytes == 0, "What was added was not subtracted.");
            _waiting = _waiting is { } drained && drained.EnsureCapacity(0) > MaxIdleCapacity ? null : _waiting;
            return null;
        }

        var entry = waiting.Peek();
        var frame = entry switch
        {
            SnapshotFrames snapshot => snapshot.Take(),
            DeltaRun run => run.ToMessage(),
            _ => (ServerMessage)entry,
        };
        if (entry is SnapshotFrames { IsEmpty: false })
        {
            // Its whole text stays in memory until the last part is taken, but each part shows that the client reads.
            TakenBytes += BytesOf(frame);
            return frame;
        }

        waiting.Dequeue();
        _lastRun = entry == _lastRun ? null : _lastRun;
        _bytes -= BytesOf(entry);
        _excess = IsFull ? _excess : 0;
        TakenBytes += BytesOf(frame);
        return frame;
    }

    private void AddEntry(object entry)
    {
        _lastRun = null;
        (_waiting ??= new()).Enqueue(entry);
        Count(BytesOf(entry));
    }

    private void Count(int bytes)
    {
        _excess += IsFull ? Math.Min(bytes, MaxReplyBytes) : 0;
        IsOverflowing |= _excess > options.MaxQueuedBytes;
        _bytes += bytes;
    }

    /// <summary>
    /// The number of bytes that an entry adds. The same number is subtracted when the entry leaves, so only <see cref="Count"/> may change it.
    /// </summary>
    private static int BytesOf(object entry) => FrameBytes + entry switch
    {
        DeltaRun run => run.Bytes,
        ServerMessage message => message.TextChars * sizeof(char),
        SnapshotFrames snapshot => snapshot.Bytes,
        _ => throw new UnreachableException(),
    };
}
