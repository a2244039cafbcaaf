using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// A position in a session's log, the number of open questions there, and the events that
/// are known to exist after it. A mutable struct: keep it in a field that is not readonly.
/// </summary>
internal struct LogPosition
{
    private (long Epoch, long Seq) _expected;
    private int _open;

    public long Epoch { get; private set; }

    public long Seq { get; private set; }

    /// <summary>
    /// True while it is uncertain whether the epoch still applies: an item of a lower epoch arrived, and
    /// the log was read because of it. More such items are dropped until the grain confirms the epoch.
    /// </summary>
    public bool IsDoubted { get; set; }

    public readonly bool HasOpenQuestion => _open > 0;

    /// <summary>True while an event that is known to exist has not arrived.</summary>
    public readonly bool IsExpecting => _expected.Epoch != 0 && IsBehind(_expected.Epoch, _expected.Seq);

    public readonly bool IsBehind(long epoch, long seq) => epoch != Epoch || seq > Seq;

    /// <summary>Moves to another position. The number of open questions there is not known yet, so the last one is kept.</summary>
    public void MoveTo(long epoch, long seq) => (Epoch, Seq) = (epoch, seq);

    /// <summary>Moves to the head of the log, at which <paramref name="open"/> questions are open.</summary>
    public void MoveToHead(long epoch, long seq, int open) => (Epoch, Seq, _open) = (epoch, seq, open);

    /// <summary>Passes events to the sink, in order, and moves past them. Events before the position are repeats, and are skipped.</summary>
    /// <returns>False if the sink is full, and the rest of the events was not passed.</returns>
    public bool TryDeliver(LogEvent[] events, ILogSink sink, bool isReplay)
    {
        foreach (var next in events)
        {
            if (next.Seq <= Seq)
            {
                continue;
            }

            if (sink.IsFull)
            {
                return false;
            }

            Pass(next);
            sink.OnEvent(next, isReplay);
        }

        return true;
    }

    /// <summary>Records that this event exists.</summary>
    public void Expect(long epoch, long seq) => _expected = epoch == _expected.Epoch ? (epoch, Math.Max(seq, _expected.Seq)) : (epoch, seq);

    /// <summary>Forgets which events are known to exist, because a read will find out.</summary>
    public void ForgetExpected() => _expected = default;

    private void Pass(LogEvent next)
    {
        Seq = next.Seq;
        _open = next.Kind switch
        {
            LogEventKind.Accepted => _open + 1,
            LogEventKind.Done => Math.Max(0, _open - 1),
            _ => _open,
        };
    }
}
