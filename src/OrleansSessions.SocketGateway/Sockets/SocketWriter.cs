using System.Diagnostics;
using System.Net.WebSockets;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>What a writer tells the socket's owner, never under the gate.</summary>
internal interface ISocketWriterOwner
{
    /// <summary>More waits than may: the client does not read.</summary>
    void OnSlowConsumer();

    /// <summary>A frame could not be made or sent, by a fault of ours; the socket has been cut.</summary>
    void OnWriteFault(Exception fault);
}

/// <summary>
/// Everything that goes out of one socket, in order. Enqueue under the gate, then flush outside it; whoever flushes an idle writer sends on its own
/// thread until the socket no longer takes frames at once. The close frame is the last entry: after it nothing is taken.
/// </summary>
internal sealed class SocketWriter(
    WebSocket socket, Lock gate, SocketGatewayOptions options, SocketGatewayMetrics metrics, TimeProvider clock, ISocketWriterOwner owner)
    : IThreadPoolWorkItem
{
    // A frame's own cost beside its text, so that many empty ones count too.
    private const int FrameChars = 64;

    // Whoever can produce faster than the client reads goes on once no more than this part of the limits waits.
    private const int RoomDivisor = 8;

    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Queue<object>? _waiting;
    private DeltaRun? _lastRun;
    private TaskCompletionSource? _room;
    private int _waitingChars;
    private bool _isSending;
    private bool _isClosed;
    private bool _isOverflowing;
    private long _sendingSince;

    /// <summary>When the last frame was handed to the socket, as a timestamp.</summary>
    public long LastSentAt { get; private set; } = clock.GetTimestamp();

    /// <summary>Since when a frame waits for the peer to read, or 0.</summary>
    public long SendingSince => Volatile.Read(ref _sendingSince);

    /// <summary>Ends when the close frame has left or can no longer leave.</summary>
    public Task Finished => _finished.Task;

    /// <summary>
    /// True while at most an eighth of what may wait does. Only <see cref="WaitForRoomAsync"/> is exact: without the gate this can be a moment old.
    /// </summary>
    public bool HasRoom =>
        _waitingChars <= options.MaxQueuedChars / RoomDivisor && (_waiting?.Count ?? 0) <= options.MaxQueuedFrames / RoomDivisor;

    /// <summary>Adds a frame. Call under the gate.</summary>
    public void Enqueue(ServerMessage message) => Add(message);

    /// <summary>Adds a delta, to the run that waits last if it may. Call under the gate.</summary>
    public void EnqueueDelta(LogEvent delta, bool isReplay, bool mayJoin)
    {
        if (mayJoin && _lastRun is { } run && run.TryJoin(delta, isReplay, options.MaxRunChars))
        {
            Count(delta.Text.Length);
            return;
        }

        var next = new DeltaRun(delta, isReplay);
        Add(next);
        _lastRun = next;
    }

    /// <summary>Adds a snapshot, which leaves in as many frames as its text needs with nothing between them. Call under the gate.</summary>
    public void EnqueueSnapshot(QuestionDescription question, long epoch) => Add(new SnapshotFrames(question, epoch));

    /// <summary>Adds the close frame, after which nothing is taken. Call under the gate.</summary>
    /// <param name="code">The close code; 1000 is sent in place of one that no frame may carry.</param>
    /// <param name="dropWaiting">True to send it next, before all that waits.</param>
    public void EnqueueClose(int code, string reason, bool dropWaiting)
    {
        if (_isClosed)
        {
            return;
        }

        if (dropWaiting)
        {
            _waiting?.Clear();
            _waitingChars = 0;
        }

        _isClosed = true;
        _lastRun = null;
        _room?.TrySetResult();
        (_waiting ??= new()).Enqueue(new CloseFrame(IsSendable(code) ? code : CloseCodes.Normal, reason));
    }

    /// <summary>Ends once <see cref="HasRoom"/> is true, or when the socket is being closed. Something must send what waits, or it never ends.</summary>
    public Task WaitForRoomAsync()
    {
        if (HasRoom)
        {
            return Task.CompletedTask;
        }

        lock (gate)
        {
            return _isClosed || HasRoom ? Task.CompletedTask : (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Starts to send what waits, on this thread.</summary>
    public void Flush()
    {
        if (TryStart())
        {
            _ = SendAllAsync();
        }
    }

    /// <summary>Starts to send what waits, on another thread.</summary>
    public void FlushElsewhere()
    {
        if (TryStart())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = SendAllAsync();

    private bool TryStart()
    {
        bool isOverflowing;
        lock (gate)
        {
            isOverflowing = _isOverflowing && !_isClosed;
            if (!isOverflowing && (_isSending || _waiting is not { Count: > 0 }))
            {
                return false;
            }

            _isSending |= !isOverflowing;
        }

        if (isOverflowing)
        {
            owner.OnSlowConsumer();
        }

        return !isOverflowing;
    }

    private void Add(object entry)
    {
        if (_isClosed)
        {
            return;
        }

        _lastRun = null;
        (_waiting ??= new()).Enqueue(entry);
        Count(CostOf(entry));
    }

    private void Count(int chars)
    {
        _waitingChars += chars;
        _isOverflowing |= _waitingChars > options.MaxQueuedChars || _waiting!.Count > options.MaxQueuedFrames;
    }

    /// <summary>What an entry adds to the characters that wait. It is taken off again when the entry leaves, so it must not change but by a count.</summary>
    private static int CostOf(object entry) => entry switch
    {
        DeltaRun run => run.Chars + FrameChars,
        ServerMessage message => message.TextChars + FrameChars,
        SnapshotFrames snapshot => snapshot.Chars + FrameChars,
        CloseFrame => 0,
        _ => throw new UnreachableException(),
    };

    /// <summary>The one loop that sends. Never throws: a socket that cannot send is cut, and its reader notices.</summary>
    private async Task SendAllAsync()
    {
        var buffer = FrameBuffer.Rent();
        try
        {
            while (TryTake() is { } entry)
            {
                if (entry is CloseFrame close)
                {
                    await SendCloseAsync(close);
                    return;
                }

                var frame = buffer.Write(entry as ServerMessage ?? ((DeltaRun)entry).ToMessage());
                var now = clock.GetTimestamp();
                Volatile.Write(ref _sendingSince, now);
                LastSentAt = now;
                metrics.MessageSent();
                await socket.SendAsync(frame, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);
                Volatile.Write(ref _sendingSince, 0);
            }
        }
        catch (Exception fault)
        {
            // A socket that broke is the peer's affair; anything else is ours, and the socket must not fall silent over it.
            Abandon();
            if (fault is not (WebSocketException or ObjectDisposedException or OperationCanceledException or IOException or InvalidOperationException))
            {
                owner.OnWriteFault(fault);
            }
        }
        finally
        {
            FrameBuffer.Return(buffer);
        }
    }

    private object? TryTake()
    {
        TaskCompletionSource? room = null;
        object? next = null;
        lock (gate)
        {
            if (_waiting is { Count: > 0 })
            {
                next = Take(_waiting);
            }
            else
            {
                Debug.Assert(_waitingChars == 0, "What was added was not taken off.");
                _isSending = false;
                // A queue that has grown is not kept by a socket that has caught up.
                _waiting = _waiting is { } drained && drained.EnsureCapacity(0) > 16 ? null : _waiting;
            }

            if (_room is not null && HasRoom)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.TrySetResult();
        return next;
    }

    /// <summary>The next frame. A snapshot stays at the head of the queue until its last one.</summary>
    private object Take(Queue<object> waiting)
    {
        var entry = waiting.Peek();
        _waitingChars -= CostOf(entry);
        if (entry is SnapshotFrames snapshot)
        {
            var frame = snapshot.Take();
            if (!snapshot.IsEmpty)
            {
                _waitingChars += CostOf(snapshot);
                return frame;
            }

            entry = frame;
        }

        waiting.Dequeue();
        _lastRun = entry == _lastRun ? null : _lastRun;
        return entry;
    }

    /// <summary>False for codes that are reserved or only report something, such as 1005 and 1006: the socket refuses to send them.</summary>
    private static bool IsSendable(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    private async Task SendCloseAsync(CloseFrame close)
    {
        try
        {
            Volatile.Write(ref _sendingSince, clock.GetTimestamp());
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync((WebSocketCloseStatus)close.Code, close.Reason, CancellationToken.None);
            }
        }
        finally
        {
            Volatile.Write(ref _sendingSince, 0);
            Abandon(isCut: false);
        }
    }

    private void Abandon(bool isCut = true)
    {
        TaskCompletionSource? room;
        lock (gate)
        {
            _isClosed = true;
            _waiting = null;
            _waitingChars = 0;
            _lastRun = null;
            _isSending = false;
            (room, _room) = (_room, null);
        }

        if (isCut)
        {
            socket.Abort();
        }

        room?.TrySetResult();
        _finished.TrySetResult();
    }

    private sealed record CloseFrame(int Code, string Reason);
}
