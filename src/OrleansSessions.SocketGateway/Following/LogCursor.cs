using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Profiles;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// One socket's place in its session's log: (epoch, seq). News that continues it goes to the sink; repeats are dropped; a hole is filled by reading
/// the log, while what arrives meanwhile is held, bounded, and merged afterwards. Epochs are compared for equality: a session can come back with
/// a lower one, because its state was older or a clock was behind. All members but <see cref="Reading"/> require the connection's gate.
/// </summary>
internal sealed class LogCursor(Lock gate, ILogSink sink, ILogSource log, int maxHeldItems, TimeProvider clock, Action<Exception> onReadFailed)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private readonly List<(long Epoch, LogEvent[] Events)> _held = [];
    private Phase _phase = Phase.Attaching;
    private bool _isReplay;
    private bool _hasDroppedHeld;
    private long? _removedEpoch;
    private bool _isRemoved;

    // An item of a lower epoch came, and the log was read because of it. More of them are dropped until the grain names the epoch again.
    private bool _isDoubted;

    // A head, or another epoch, was reported while no read could be started for it.
    private bool _mustCheckExpected;
    private bool _isReading;
    private int _life;
    private int _open;
    private (long Epoch, long Seq) _expected;

    private enum Phase
    {
        /// <summary>The position is not known yet.</summary>
        Attaching,

        /// <summary>News goes straight to the sink.</summary>
        Live,

        /// <summary>The log is being read; news is held.</summary>
        Reading,

        /// <summary>News is held while the sink is told something from another source.</summary>
        Paused,

        Closed,
    }

    public long Epoch { get; private set; }

    public long Seq { get; private set; }

    /// <summary>True while a question is open, as far as this position knows, or while an event that is known to exist has not come.</summary>
    public bool IsWaiting => _open > 0 || _isDoubted || IsExpecting;

    /// <summary>True while every event goes straight to the sink.</summary>
    public bool IsLive => _phase == Phase.Live;

    /// <summary>The read under way, for whoever must know that nothing is left behind.</summary>
    public Task Reading { get; private set; } = Task.CompletedTask;

    /// <summary>The socket is attached at this head, and goes on from there.</summary>
    public void Begin(long epoch, long seq, int open)
    {
        (Epoch, Seq, _open) = (epoch, seq, open);
        GoLive();
    }

    /// <summary>The client says where it is: everything after that is replayed to it, then live.</summary>
    public void Replay(long epoch, long afterSeq)
    {
        if (_phase != Phase.Closed)
        {
            (Epoch, Seq, _isReplay) = (epoch, afterSeq, true);
            sink.OnReplay(afterSeq);
            StartReading();
        }
    }

    public void OnEvents(long epoch, LogEvent[] events)
    {
        if (_phase == Phase.Live)
        {
            Merge(epoch, events);
        }
        else
        {
            Hold(epoch, events);
        }
    }

    /// <summary>The grain reported this head in a reply: whatever the socket does not have up to it was lost.</summary>
    public void OnHead(long epoch, long seq)
    {
        if (_phase != Phase.Live)
        {
            // The read under way may have been served before this reply.
            NoteExpected(epoch, seq);
            _mustCheckExpected = true;
        }
        else if (IsBehind(epoch, seq))
        {
            StartReading();
        }
        else
        {
            _isDoubted = false;
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
            NoteExpected(epoch, seq);
        }
        else
        {
            OnHead(epoch, seq);
        }
    }

    public void OnRemoved(long epoch)
    {
        if (_phase != Phase.Live)
        {
            // While a place is being read, the read may already bring the session's next life: what counts is which life was meant when this came.
            _isRemoved |= _phase is (Phase.Reading or Phase.Paused) && epoch >= Epoch;
            _removedEpoch = epoch;
        }
        else if (epoch >= Epoch)
        {
            sink.OnRemoved();
        }
        else
        {
            // Either late news of an earlier life, or the end of a life that this socket has not heard of: the log shows which.
            _removedEpoch = epoch;
            StartReading();
        }
    }

    /// <summary>Holds news until <see cref="Unpause"/>. False if it is held anyway.</summary>
    public bool TryPause()
    {
        if (_phase != Phase.Live)
        {
            return false;
        }

        _phase = Phase.Paused;
        return true;
    }

    public void Unpause()
    {
        if (_phase == Phase.Paused)
        {
            GoLive();
        }
    }

    public void Close()
    {
        _phase = Phase.Closed;
        _life++;
        _held.Clear();
    }

    private bool IsExpecting => _expected.Epoch != 0 && IsBehind(_expected.Epoch, _expected.Seq);

    private bool IsBehind(long epoch, long seq) => epoch != Epoch || seq > Seq;

    private void NoteExpected(long epoch, long seq) =>
        _expected = epoch == _expected.Epoch ? (epoch, Math.Max(seq, _expected.Seq)) : (epoch, seq);

    private void Hold(long epoch, LogEvent[] events)
    {
        if (_phase == Phase.Closed || _hasDroppedHeld)
        {
            return;
        }

        if (_held.Count < maxHeldItems)
        {
            _held.Add((epoch, events));
            return;
        }

        // Too much to hold: the log has it all.
        _held.Clear();
        _hasDroppedHeld = true;
    }

    private void Merge(long epoch, LogEvent[] events)
    {
        if (epoch < Epoch)
        {
            OnLowerEpoch();
            return;
        }

        if (epoch == Epoch && (events.Length == 0 || events[^1].Seq <= Seq))
        {
            return;
        }

        if (epoch > Epoch || events[0].Seq > Seq + 1)
        {
            StartReading();
            Hold(epoch, events);
            return;
        }

        Deliver(events);
    }

    /// <summary>
    /// Usually late news of a life that has ended; but it can be a session that came back with older state. One read shows which. It is not repeated
    /// for each late item: until the grain confirms the epoch, the socket counts as waiting, so it is attached again when it hears nothing.
    /// </summary>
    private void OnLowerEpoch()
    {
        if (!_isDoubted)
        {
            _isDoubted = true;
            StartReading();
        }
    }

    private void Deliver(LogEvent[] events)
    {
        foreach (var next in events)
        {
            if (next.Seq <= Seq)
            {
                continue;
            }

            Seq = next.Seq;
            _open = next.Kind switch
            {
                LogEventKind.Accepted => _open + 1,
                LogEventKind.Done => Math.Max(0, _open - 1),
                _ => _open,
            };
            sink.OnEvent(next, _isReplay);
            if (_phase == Phase.Closed)
            {
                return;
            }
        }
    }

    private void GoLive()
    {
        if (_phase == Phase.Closed)
        {
            return;
        }

        _phase = Phase.Live;
        _isReplay = false;
        if (_hasDroppedHeld)
        {
            _hasDroppedHeld = false;
            StartReading();
            return;
        }

        MergeHeld();
        if (_phase != Phase.Live)
        {
            return;
        }

        if (_removedEpoch is { } removed)
        {
            _removedEpoch = null;
            if (_isRemoved || removed >= Epoch)
            {
                sink.OnRemoved();
                return;
            }
        }

        if (_mustCheckExpected)
        {
            _mustCheckExpected = false;
            if (IsExpecting)
            {
                StartReading();
            }
        }
    }

    private void MergeHeld()
    {
        if (_held.Count == 0)
        {
            return;
        }

        var held = _held.ToArray();
        _held.Clear();
        foreach (var (epoch, events) in held)
        {
            // Those of a lower epoch came before the reply that told this one, and are old. A hole among the others starts another read, which holds the rest.
            if (epoch >= Epoch)
            {
                OnEvents(epoch, events);
            }
        }
    }

    private void StartReading()
    {
        _phase = Phase.Reading;
        _life++;
        if (!_isReading)
        {
            // One read at a time, however often the client goes back: one that is under way goes on from the new position when it returns.
            _isReading = true;
            Reading = ReadAsync();
        }
    }

    private async Task ReadAsync()
    {
        // The caller holds the gate, and may be the one thread that brings everybody's news.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var retry = FirstRetry;
        while (true)
        {
            var (life, epoch, after) = Position();
            if (epoch is null)
            {
                return;
            }

            try
            {
                TakeUnderGate(life, await log.ReadAsync(epoch.Value, after));
                await log.FlushAsync();
            }
            catch (Exception fault)
            {
                onReadFailed(fault);
                await Task.Delay(retry, clock);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
                continue;
            }

            retry = FirstRetry;
        }
    }

    /// <summary>Where to read next; no epoch where there is nothing more to read.</summary>
    private (int Life, long? Epoch, long AfterSeq) Position()
    {
        lock (gate)
        {
            _isReading = _phase == Phase.Reading;
            if (!_isReading)
            {
                return (_life, null, 0);
            }

            // The read that begins now is newer than every reply so far, and so answers all of them.
            (_expected, _mustCheckExpected) = (default, false);
            return (_life, Epoch, Seq);
        }
    }

    /// <summary>Takes a piece, unless the position has changed since it was asked for.</summary>
    private void TakeUnderGate(int life, LogPiece piece)
    {
        lock (gate)
        {
            if (life != _life)
            {
                return;
            }

            if (piece.Outcome != LogReadOutcome.Recovered)
            {
                // A removal that named no life this socket knew, and now nothing is left: it was this session's.
                _isRemoved |= _removedEpoch is not null && !_isReplay && piece.Outcome == LogReadOutcome.Expired;
                (Epoch, Seq, _open, _isDoubted) = (piece.Epoch, piece.Head, piece.Open.Length, false);
                // To a client that asked for nothing, a log that began anew is one thing, whether or not the session kept anything.
                var isExpiredUnasked = !_isReplay && piece.Outcome == LogReadOutcome.Expired;
                sink.OnLost(isExpiredUnasked ? piece with { Outcome = LogReadOutcome.EpochChanged } : piece);
                GoLive();
                return;
            }

            Deliver(piece.Events);
            if (!piece.IsAtHead && piece.Events.Length > 0)
            {
                return;
            }

            _open = piece.Open.Length;
            if (_isReplay)
            {
                sink.OnRecovered(piece);
            }

            GoLive();
        }
    }
}
