using OrleansSessions.Grains.Answers;
using OrleansSessions.Grains.Sessions;

namespace OrleansSessions.SocketGateway.Answers;

/// <summary>
/// One socket's place in its session's log: (epoch, seq). News that continues it goes to the sink; repeats are dropped; a hole is filled by reading
/// the log, while what arrives meanwhile is held, bounded, and merged afterwards. All members but <see cref="Reading"/> want the connection's gate held.
/// </summary>
internal sealed class AnswerSubscription(Lock gate, IAnswerSink sink, IAnswerLog log, int maxHeldItems, TimeProvider clock, Action<Exception> onReadFailed)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly List<(long Epoch, LogEvent[] Events)> _held = [];
    private Phase _phase = Phase.Attaching;
    private bool _isReplay;
    private bool _hasDroppedHeld;
    private long? _removedEpoch;
    private bool _isRemoved;
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
    public bool IsWaiting => _open > 0 || IsBehind(_expected.Epoch, _expected.Seq);

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

    public void OnHead(long epoch, long seq)
    {
        if (_phase == Phase.Live && IsBehind(epoch, seq))
        {
            StartReading();
        }
    }

    /// <summary>The grain told of this event in a reply. Its news is on its way; until then the socket waits, so that a loss of it is looked for.</summary>
    public void Expect(long epoch, long seq) => _expected = (epoch, seq);

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

    private bool IsBehind(long epoch, long seq) => epoch > Epoch || (epoch == Epoch && seq > Seq);

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
        if (epoch < Epoch || (epoch == Epoch && (events.Length == 0 || events[^1].Seq <= Seq)))
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

    private void Deliver(LogEvent[] events)
    {
        foreach (var next in events)
        {
            if (next.Seq <= Seq)
            {
                continue;
            }

            Seq = next.Seq;
            _open = next switch
            {
                AcceptedEvent => _open + 1,
                DoneEvent => Math.Max(0, _open - 1),
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
        if (_phase == Phase.Live && _removedEpoch is { } removed)
        {
            _removedEpoch = null;
            OnRemoved(_isRemoved ? Epoch : removed);
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
            // A hole among them starts to read again and holds the rest again.
            OnEvents(epoch, events);
        }
    }

    private void StartReading()
    {
        _phase = Phase.Reading;
        Reading = ReadAsync(++_life);
    }

    private async Task ReadAsync(int life)
    {
        // The caller holds the gate, and may be the one thread that brings everybody's news.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var retry = FirstRetry;
        while (true)
        {
            var (epoch, after) = Position(life);
            if (epoch is null)
            {
                return;
            }

            LogPiece piece;
            try
            {
                piece = await log.ReadAsync(epoch.Value, after);
            }
            catch (Exception fault)
            {
                onReadFailed(fault);
                await Task.Delay(retry, clock);
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
                continue;
            }

            retry = FirstRetry;
            var isMore = TakeUnderGate(life, piece);
            await log.FlushAsync();
            if (!isMore)
            {
                return;
            }
        }
    }

    private (long? Epoch, long AfterSeq) Position(int life)
    {
        lock (gate)
        {
            return life == _life ? (Epoch, Seq) : (null, 0);
        }
    }

    /// <summary>True if there is more to read.</summary>
    private bool TakeUnderGate(int life, LogPiece piece)
    {
        lock (gate)
        {
            if (life != _life)
            {
                return false;
            }

            if (piece.Outcome != LogReadOutcome.Recovered)
            {
                (Epoch, Seq, _open) = (piece.Epoch, piece.Head, piece.Open.Length);
                // To a client that asked for nothing, a log that began anew is one thing, whether or not the session kept anything.
                var isExpiredUnasked = !_isReplay && piece.Outcome == LogReadOutcome.Expired;
                sink.OnLost(isExpiredUnasked ? piece with { Outcome = LogReadOutcome.EpochChanged } : piece);
                GoLive();
                return false;
            }

            Deliver(piece.Events);
            if (!piece.IsAtHead && piece.Events.Length > 0)
            {
                return _phase == Phase.Reading;
            }

            _open = piece.Open.Length;
            if (_isReplay)
            {
                sink.OnRecovered(piece);
            }

            GoLive();
            return false;
        }
    }
}
