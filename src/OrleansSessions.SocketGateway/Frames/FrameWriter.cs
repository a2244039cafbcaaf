using System.Net.WebSockets;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>
/// Sends all frames to one client, in order. Enqueue under the gate, then flush outside it. A caller that flushes an idle writer sends on its own thread
/// as long as the transport accepts frames at once. The close is the last frame: nothing is accepted after it.
/// </summary>
/// <param name="onStuck">
/// Called outside the gate, with null if the client is too far behind, or with the exception
/// if a frame could not be created or sent because of a bug; the transport was then aborted.
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
    private long _crowdedSince;
    private long _takenBefore;

    /// <summary>When the last frame was given to the transport, as a timestamp.</summary>
    public long LastSentAt { get; private set; } = clock.GetTimestamp();

    /// <summary>Completes when the close was sent, or can no longer be sent.</summary>
    public Task Finished => _finished.Task;

    /// <inheritdoc cref="FrameQueue.HasRoom"/>
    public bool HasRoom => _queue.HasRoom;

    /// <summary>True while events must stay in the log because too much waits for the client. Requires the gate.</summary>
    public bool IsFull => _queue.IsFull;

    /// <summary>Adds a frame. Requires the gate.</summary>
    public void Enqueue(ServerMessage message)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.Add(message);
        }
    }

    /// <summary>Adds a delta. It is joined to the last waiting run if that is allowed and possible. Requires the gate.</summary>
    public void EnqueueDelta(LogEvent delta, bool isReplay, bool mayJoin)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.AddDelta(delta, isReplay, mayJoin);
        }
    }

    /// <summary>Adds a snapshot. It leaves in as many frames as its text needs, with nothing between them. Requires the gate.</summary>
    public void EnqueueSnapshot(QuestionDescription question, long epoch)
    {
        gate.AssertHeld();
        if (!_isClosed)
        {
            _queue.AddSnapshot(question, epoch);
        }
    }

    /// <summary>Adds the close. Nothing is accepted after it. Requires the gate.</summary>
    /// <param name="dropWaiting">True to drop the waiting frames, false to send them before the close.</param>
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

    /// <summary>
    /// Completes once <see cref="HasRoom"/> is true, or when the connection is being closed. The caller must flush first; otherwise it may never complete.
    /// </summary>
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

    /// <summary>
    /// Returns true if the client reads too slowly to be kept: one frame waits for longer than <see cref="SocketGatewayOptions.SendTimeout"/>, or the queue
    /// had no room for <see cref="SocketGatewayOptions.MaxTimeBehind"/> and the client has not read half of its limit in that time. Calls must not overlap.
    /// </summary>
    public bool IsStuck(long now)
    {
        if (Volatile.Read(ref _sendingSince) is var sending and not 0 && clock.GetElapsedTime(sending, now) > options.SendTimeout)
        {
            return true;
        }

        if (HasRoom)
        {
            _crowdedSince = 0;
            return false;
        }

        long taken;
        lock (gate)
        {
            taken = _queue.TakenBytes;
        }

        if (_crowdedSince == 0 || taken - _takenBefore >= options.MaxQueuedBytes / 2)
        {
            (_crowdedSince, _takenBefore) = (now, taken);
        }

        return clock.GetElapsedTime(_crowdedSince, now) > options.MaxTimeBehind;
    }

    /// <summary>Starts to send the waiting frames, on this thread.</summary>
    public void Flush()
    {
        if (TryStart())
        {
            _ = SendAllAsync();
        }
    }

    /// <summary>Starts to send the waiting frames, on another thread.</summary>
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

    /// <summary>The only loop that sends. Never throws: if the transport cannot send, it is aborted, and its reader notices.</summary>
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
            // If the connection broke, the client knows. Anything else is a bug, and the client must not wait in vain because of it.
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

    /// <summary>Takes the next frame. Null means the close.</summary>
    /// <returns>False if nothing waits. The loop then ends.</returns>
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
