using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Keeps one follower's position in the session log. Events that continue it go to the sink, and repeats are dropped. If
/// events are missing, the log is read. Items that arrive during the read are held up to a limit and merged afterwards.
/// While the client has too much to read, events stay in the log, and they are read from there as the client drains.
/// Epochs are compared for equality, because a session can return with a lower epoch: its state was older, or a clock was
/// behind. All members require the connection's gate, except <see cref="Reading"/> and those that take the gate themselves.
/// </summary>
internal sealed class LogCursor(Lock gate, ILogSink sink, ILogSource log, SocketGatewayOptions options, TimeProvider clock, Action<Exception> onReadFailed)
{
    private readonly HeldEvents _held = new(options);
    private readonly LogReader _reader = new(log, clock, onReadFailed);
    private CursorPhase _phase = CursorPhase.Attaching;
    private PendingRemoval _removal;
    private bool _isReplay;

    // True if a head or another epoch was reported while no read could be started for it.
    private bool _mustCheckExpected;
    private bool _isReading;
    private int _life;
    private LogPosition _position;

    public long Epoch => _position.Epoch;

    public long Seq => _position.Seq;

    /// <summary>True while a question is open at this position, or while an event that is known to exist has not arrived.</summary>
    public bool IsWaiting => _position.HasOpenQuestion || _position.IsDoubted || _position.IsExpecting;

    /// <summary>True while every event goes to the sink at once.</summary>
    public bool IsLive => _phase == CursorPhase.Live;

    /// <summary>The current read. A caller can await it to be sure that no read is left.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>The follower is attached at this head and continues from there.</summary>
    public void Begin(long epoch, long seq, int open)
    {
        _position.MoveToHead(epoch, seq, open);
        GoLive();
    }

    /// <summary>The client reported its position. Everything after it is replayed, and then live events follow.</summary>
    public void Replay(long epoch, long afterSeq)
    {
        if (_phase != CursorPhase.Closed)
        {
            _position.MoveTo(epoch, afterSeq);
            _isReplay = true;
            sink.OnReplay(afterSeq);
            StartReading();
        }
    }

    public void OnEvents(long epoch, LogEvent[] events)
    {
        gate.AssertHeld();
        if (_phase == CursorPhase.Live)
        {
            Merge(epoch, events);
        }
        else if (_phase != CursorPhase.Closed)
        {
            _held.Add(epoch, events, mayHold: !sink.IsFull);
        }
    }

    /// <summary>Handles a head that the grain reported in a reply. Events up to it that the follower does not have were lost.</summary>
    /// <returns>True if a read starts because of it.</returns>
    public bool OnHead(long epoch, long seq)
    {
        if (_phase != CursorPhase.Live)
        {
            // The current read can have been answered before this reply.
            _position.Expect(epoch, seq);
            _mustCheckExpected = true;
            return false;
        }

        if (_position.IsBehind(epoch, seq))
        {
            StartReading();
            return true;
        }

        _position.IsDoubted = false;
        return false;
    }

    /// <summary>
    /// Handles the epoch, and an event's number or 0, in a grain's reply. The item with the event is on its way.
    /// Until it arrives, the follower counts as waiting, so that a loss is noticed. If the epoch differs from
    /// that of the position, the position no longer exists, and the log is read because no item may follow.
    /// </summary>
    public void Expect(long epoch, long seq)
    {
        if (epoch == Epoch)
        {
            _position.Expect(epoch, seq);
        }
        else
        {
            OnHead(epoch, seq);
        }
    }

    public void OnRemoved(long epoch)
    {
        if (_phase != CursorPhase.Live)
        {
            _removal.Note(epoch, isCertain: (_phase is CursorPhase.Reading or CursorPhase.Paused) && epoch >= Epoch);
        }
        else if (epoch >= Epoch)
        {
            sink.OnRemoved();
        }
        else
        {
            // Either the late removal of an earlier life, or the removal of a life that this follower does not know. The log shows which.
            _removal.Note(epoch, isCertain: false);
            StartReading();
        }
    }

    /// <summary>Holds items until <see cref="Unpause"/>. Returns false if they are already held.</summary>
    public bool TryPause()
    {
        var isLive = _phase == CursorPhase.Live;
        _phase = isLive ? CursorPhase.Paused : _phase;
        return isLive;
    }

    public void Unpause()
    {
        if (_phase == CursorPhase.Paused)
        {
            GoLive();
        }
    }

    public void Close()
    {
        _phase = CursorPhase.Closed;
        _life++;
        _held.Clear();
    }

    /// <summary>Returns where to read next, or null if there is nothing left to read. Takes the gate.</summary>
    public (int Life, long Epoch, long AfterSeq)? NextRead()
    {
        lock (gate)
        {
            _isReading = _phase == CursorPhase.Reading;
            if (!_isReading)
            {
                return null;
            }

            // The read that starts now is newer than every reply so far, so it covers all of them. It also returns what was dropped.
            _position.ForgetExpected();
            _mustCheckExpected = false;
            _held.ForgetDropped();
            return (_life, Epoch, Seq);
        }
    }

    /// <summary>Handles a piece of the log, unless the position has changed since the read started. Takes the gate.</summary>
    public void Take(int life, LogPiece piece)
    {
        lock (gate)
        {
            if (life != _life)
            {
                return;
            }

            if (piece.Outcome != LogReadOutcome.Recovered)
            {
                TakeLoss(piece);
                return;
            }

            if (!_position.TryDeliver(piece.Events, sink, _isReplay) || (!piece.IsAtHead && piece.Events.Length > 0))
            {
                return;
            }

            _position.MoveToHead(Epoch, Seq, piece.Open.Length);
            if (_isReplay)
            {
                sink.OnRecovered(piece);
            }

            GoLive();
        }
    }

    private void Merge(long epoch, LogEvent[] events)
    {
        if (epoch < Epoch)
        {
            // Usually this is a late item of an earlier life, but the session can have returned with older state. One read shows which. It is not repeated
            // for each late item: until the grain confirms the epoch, the follower counts as waiting, so the session is attached again if nothing arrives.
            if (!_position.IsDoubted)
            {
                _position.IsDoubted = true;
                StartReading();
            }
        }
        else if (epoch > Epoch || (events.Length > 0 && events[0].Seq > Seq + 1))
        {
            StartReading();
            _held.Add(epoch, events, mayHold: !sink.IsFull);
        }
        else if (!_position.TryDeliver(events, sink, _isReplay))
        {
            // The client is behind. The rest is read from the log when the client has read enough.
            log.OnBehind();
            StartReading();
        }
    }

    private void GoLive()
    {
        gate.AssertHeld();
        if (_phase == CursorPhase.Closed)
        {
            return;
        }

        _phase = CursorPhase.Live;
        _isReplay = false;
        if (_held.HasDropped)
        {
            _held.Clear();
            StartReading();
            return;
        }

        foreach (var (epoch, events) in _held.TakeAll())
        {
            // Items of a lower epoch arrived before the reply with this epoch, so they are old.
            // If events are missing among the others, another read starts, and it holds the rest.
            if (epoch >= Epoch)
            {
                OnEvents(epoch, events);
            }
        }

        var isLive = _phase == CursorPhase.Live;
        if (isLive && _removal.Settle(Epoch))
        {
            sink.OnRemoved();
        }
        else if (isLive && _mustCheckExpected)
        {
            _mustCheckExpected = false;
            if (_position.IsExpecting)
            {
                StartReading();
            }
        }
    }

    private void StartReading()
    {
        gate.AssertHeld();
        _phase = CursorPhase.Reading;
        _life++;
        if (!_isReading)
        {
            // Only one read runs at a time, however often the client rewinds. The current read continues from the new position when it returns.
            _isReading = true;
            Reading = _reader.ReadAsync(this);
        }
    }

    private void TakeLoss(LogPiece piece)
    {
        var isExpiredUnasked = !_isReplay && piece.Outcome == LogReadOutcome.Expired;
        if (isExpiredUnasked)
        {
            _removal.ConfirmIfPending();
        }

        // A client that did not ask for a replay gets the same reason for every log that started again, whether or not the session kept anything.
        _position.MoveToHead(piece.Epoch, piece.Head, piece.Open.Length);
        _position.IsDoubted = false;

        // An event of the epoch that is gone was expected during the read. It would be waited for without end.
        _mustCheckExpected |= _position.IsExpecting;
        sink.OnLost(isExpiredUnasked ? piece with { Outcome = LogReadOutcome.EpochChanged } : piece);
        GoLive();
    }
}
