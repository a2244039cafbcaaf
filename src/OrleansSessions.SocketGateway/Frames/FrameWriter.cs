using System.Net.WebSockets;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>
/// Everything that goes out to one client, in order. Enqueue under the gate, then flush outside it. Whoever flushes an idle writer sends on its own
/// thread until the transport no longer takes frames at once. The close comes last: after it nothing is taken.
/// </summary>
/// <param name="onStuck">
/// Called outside the gate when the client falls too far behind (null), or when a frame could not be made or sent because of our own fault;
/// the transport has then been cut.
/// </param>
internal sealed class FrameWriter(
    ITransport transport, Lock gate, SocketGatewayOptions options, SocketGatewayMetrics metrics, TimeProvider clock, Action<Exception?> onStuck)
    : IThreadPoolWorkItem
{
    private readonly FrameQueue _queue = new(options);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private (int Code, string Reason)? _close;
    private bool _isSending;
    private bool _isClosed;
    private long _sendingSince;

    /// <summary>When the last frame was handed to the transport, as a timestamp.</summary>
    public long LastSentAt { get; private set; } = clock.GetTimestamp();

    /// <summary>Since when a frame waits for the client to read, or 0.</summary>
    public long SendingSince => Volatile.Read(ref _sendingSince);

    /// <summary>Completes when the close has left or can no longer leave.</summary>
    public Task Finished => _finished.Task;

    /// <inheritdoc cref="FrameQueue.HasRoom"/>
    public bool HasRoom => _queue.HasRoom;

    /// <summary>Adds a frame. Requires the gate.</summary>
    public void Enqueue(ServerMessage message)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.Add(message);
        }
    }

    /// <summary>Adds a delta, to the run that waits last if it may join it. Requires the gate.</summary>
    public void EnqueueDelta(LogEvent delta, bool isReplay, bool mayJoin)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.AddDelta(delta, isReplay, mayJoin);
        }
    }

    /// <summary>Adds a snapshot, which leaves in as many frames as its text needs, with nothing between them. Requires the gate.</summary>
    public void EnqueueSnapshot(QuestionDescription question, long epoch)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.AddSnapshot(question, epoch);
        }
    }

    /// <summary>Adds the close, after which nothing is taken. Requires the gate.</summary>
    /// <param name="dropWaiting">True to send it before everything that waits.</param>
    public void EnqueueClose(int code, string reason, bool dropWaiting)
    {
        gate.AssertHeld();
        if (_isClosed)
        {
            return;
        }

        if (dropWaiting)
        {
            _queue.Clear();
        }

        _isClosed = true;
        _close = (code, reason);
        _room?.TrySetResult();
    }

    /// <summary>Completes once <see cref="HasRoom"/> is true, or when the connection is being closed. Something must send what waits, or it never does.</summary>
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
            isOverflowing = _queue.IsOverflowing && !_isClosed;
            if (!isOverflowing && (_isSending || (_queue.IsEmpty && _close is null)))
            {
                return false;
            }

            _isSending |= !isOverflowing;
        }

        if (isOverflowing)
        {
            onStuck(null);
        }

        return !isOverflowing;
    }

    /// <summary>The one loop that sends. Never throws: a transport that cannot send is cut, and its reader notices.</summary>
    private async Task SendAllAsync()
    {
        var buffer = FrameBuffer.Rent();
        try
        {
            while (TryTake(out var message))
            {
                if (message is null)
                {
                    await CloseAsync();
                    return;
                }

                var now = clock.GetTimestamp();
                Volatile.Write(ref _sendingSince, now);
                LastSentAt = now;
                metrics.MessageSent();
                await transport.SendAsync(message, buffer);
                Volatile.Write(ref _sendingSince, 0);
            }
        }
        catch (Exception fault)
        {
            // A connection that broke is the client's affair. Anything else is our fault, and the client must not wait in vain because of it.
            Abandon();
            transport.Abort();
            if (fault is not (WebSocketException or ObjectDisposedException or OperationCanceledException or IOException or InvalidOperationException))
            {
                onStuck(fault);
            }
        }
        finally
        {
            FrameBuffer.Return(buffer);
        }
    }

    /// <summary>Takes the next frame; null stands for the close.</summary>
    /// <returns>False if nothing waits: the loop ends.</returns>
    private bool TryTake(out ServerMessage? message)
    {
        TaskCompletionSource? room = null;
        bool isTaken;
        lock (gate)
        {
            message = _queue.Take();
            isTaken = message is not null || _close is not null;
            _isSending = isTaken;
            if (_room is not null && HasRoom)
            {
                (room, _room) = (_room, null);
            }
        }

        room?.TrySetResult();
        return isTaken;
    }

    private async Task CloseAsync()
    {
        try
        {
            Volatile.Write(ref _sendingSince, clock.GetTimestamp());
            var (code, reason) = _close!.Value;
            await transport.CloseAsync(code, reason);
        }
        finally
        {
            Volatile.Write(ref _sendingSince, 0);
            Abandon();
        }
    }

    private void Abandon()
    {
        TaskCompletionSource? room;
        lock (gate)
        {
            _isClosed = true;
            _close = null;
            _queue.Clear();
            _isSending = false;
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
        _finished.TrySetResult();
    }
}
