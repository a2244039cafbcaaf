using OrleansSessions.Client.Frames;

namespace OrleansSessions.Client.Log;

/// <summary>What to do with a numbered frame.</summary>
internal enum FrameVerdict
{
    Apply,
    Ignore,
    Rewind,
}

/// <summary>A client's position in the log of its session: docs/protocol.md, section 12, "Position".</summary>
internal sealed class LogPosition
{
    private const int MaxRewinds = 3;
    private int _rewinds;

    /// <summary>The epoch of the log; null without a position.</summary>
    public string? Epoch { get; private set; }

    /// <summary>The number of the last event that was applied.</summary>
    public long Last { get; private set; }

    /// <summary>True from a <c>resume</c>, in the address or as a frame, until <c>resumed</c>.</summary>
    public bool IsReplaying { get; set; }

    public void MoveTo(string epoch, long seq) => (Epoch, Last, IsReplaying, _rewinds) = (epoch, seq, false, 0);

    /// <summary>The replay is over.</summary>
    public void Resumed(string epoch, long seq) => (Epoch, Last, IsReplaying) = (epoch, seq, false);

    /// <summary>Decides about a numbered frame. Moves the position if the frame is the next one.</summary>
    public FrameVerdict Judge(in ServerFrame frame)
    {
        var seq = frame.Seq!.Value;
        if (IsReplaying && !frame.IsReplay)
        {
            return FrameVerdict.Ignore;
        }

        if (frame.IsDuplicate)
        {
            return FrameVerdict.Apply;
        }

        if (seq <= Last)
        {
            return frame.IsReplay ? FrameVerdict.Apply : FrameVerdict.Ignore;
        }

        if (frame.FirstSeq == Last + 1)
        {
            (Last, _rewinds) = (seq, 0);
            return FrameVerdict.Apply;
        }

        // A replayed frame outside a replay belongs to a question that was asked again.
        return frame.IsReplay && !IsReplaying ? FrameVerdict.Apply : FrameVerdict.Rewind;
    }

    /// <summary>
    /// Begins a rewind. Returns false after three in a row without a new event: the server cannot deliver the events from here, so the position is dropped,
    /// and the client must connect without one.
    /// </summary>
    public bool TryRewind()
    {
        if (++_rewinds > MaxRewinds)
        {
            (Epoch, Last, IsReplaying, _rewinds) = (null, 0, false, 0);
            return false;
        }

        IsReplaying = true;
        return true;
    }
}
