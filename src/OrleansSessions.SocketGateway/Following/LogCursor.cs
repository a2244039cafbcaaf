using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Keeps one follower's position in the session log. News that continues it goes to the sink, and repeats are dropped. A hole is filled by reading
/// the log; what arrives meanwhile is held, bounded, and merged afterwards. Epochs are compared for equality: a session can come back with
/// a lower one, because its state was older or a clock was behind. All members require the connection's gate, except <see cref="Reading"/> and those that say so.
/// </summary>
internal sealed class LogCursor(Lock gate, ILogSink sink, ILogSource log, int maxHeldItems, TimeProvider clock, Action<Exception> onReadFailed)
{
    private readonly HeldEvents _held = new(maxHeldItems);
    private readonly LogReader _reader = new(log, clock, onReadFailed);
    private CursorPhase _phase = CursorPhase.Attaching;
    private PendingRemoval _removal;
    private bool _isReplay;

    // A head, or another epoch, was reported while no read could be started for it.
    private bool _mustCheckExpected;
    private bool _isReading;
    private int _life;
    private LogPosition _position;

    public long Epoch => _position.Epoch;

    public long Seq => _position.Seq;

    /// <summary>True while a question is open, as far as this position knows, or while an event that is known to exist has not come.</summary>
    public bool IsWaiting => _position.HasOpenQuestion || _position.IsDoubted || _position.IsExpecting;

    /// <summary>True while every event goes straight to the sink.</summary>
    public bool IsLive => _phase == CursorPhase.Live;

    /// <summary>The read under way, for whoever must know that nothing is left behind.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>The socket is attached at this head, and goes on from there.</summary>
    public void Begin(long epoch, long seq, int open)
    {
        _position.MoveToHead(epoch, seq, open);
        GoLive();
    }

    /// <summary>The client says where it is: everything after that is replayed to it, then live.</summary>
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
            _held.Add(epoch, events);
        }
    }

    /// <summary>The grain reported this head in a reply: whatever the socket does not have up to it was lost.</summary>
    public void OnHead(long epoch, long seq)
    {
        if (_phase != CursorPhase.Live)
        {
            // The read under way may have been served before this reply.
            _position.Expect(epoch, seq);
            _mustCheckExpected = true;
        }
        else if (_position.IsBehind(epoch, seq))
        {
            StartReading();
        }
        else
        {
            _position.IsDoubted = false;
        }
    }

    /// <summary>
    /// The grain named its epoch, and an event of it or 0, in a reply. The event's item is on its way; until it comes the socket waits, so that its
    /// loss is noticed. Another epoch than this position's means that the position no longer exists: no item may come to show it.
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
            // Either late news of an earlier life, or the end of a life that this socket has not heard of: the log shows which.
            _removal.Note(epoch, isCertain: false);
            StartReading();
        }
    }

    /// <summary>Holds news until <see cref="Unpause"/>. False if it is held anyway.</summary>
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

    /// <summary>Where to read next, or null where there is nothing more to read. Takes the gate.</summary>
    public (int Life, long Epoch, long AfterSeq)? NextRead()
    {
        lock (gate)
        {
            _isReading = _phase == CursorPhase.Reading;
            if (!_isReading)
            {
                return null;
            }

            // The read that begins now is newer than every reply so far, and so answers all of them.
            _position.ForgetExpected();
            _mustCheckExpected = false;
            return (_life, Epoch, Seq);
        }
    }

    /// <summary>Takes a piece of the log, unless the position has changed since it was asked for. Takes the gate.</summary>
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

            Deliver(piece.Events);
            if (!piece.IsAtHead && piece.Events.Length > 0)
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
            // Usually late news of a life that has ended, but the session can have come back with older state. One read shows which. It is not repeated for
            // each late item: until the grain confirms the epoch, the follower counts as waiting, so it is attached again when it hears nothing.
            if (!_position.IsDoubted)
            {
                _position.IsDoubted = true;
                StartReading();
            }
        }
        else if (epoch > Epoch || (events.Length > 0 && events[0].Seq > Seq + 1))
        {
            StartReading();
            _held.Add(epoch, events);
        }
        else
        {
            Deliver(events);
        }
    }

    private void Deliver(LogEvent[] events)
    {
        foreach (var next in events)
        {
            if (!_position.TryPass(next))
            {
                continue;
            }

            sink.OnEvent(next, _isReplay);
            if (_phase == CursorPhase.Closed)
            {
                return;
            }
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
            // Those of a lower epoch came before the reply that named this one, and are old. A hole among the others starts another read, which holds the rest.
            if (epoch >= Epoch)
            {
                OnEvents(epoch, events);
            }
        }

        if (_phase != CursorPhase.Live)
        {
            return;
        }

        if (_removal.Settle(Epoch))
        {
            sink.OnRemoved();
            return;
        }

        if (_mustCheckExpected && _position.IsExpecting)
        {
            StartReading();
        }

        _mustCheckExpected = false;
    }

    private void StartReading()
    {
        gate.AssertHeld();
        _phase = CursorPhase.Reading;
        _life++;
        if (!_isReading)
        {
            // One read at a time, however often the client goes back: one that is under way goes on from the new position when it returns.
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

        // For a client that asked for nothing, a log that began again is one thing, whether or not the session kept anything.
        _position.MoveToHead(piece.Epoch, piece.Head, piece.Open.Length);
        _position.IsDoubted = false;
        sink.OnLost(isExpiredUnasked ? piece with { Outcome = LogReadOutcome.EpochChanged } : piece);
        GoLive();
    }
}
