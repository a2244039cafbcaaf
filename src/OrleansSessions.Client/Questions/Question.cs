using System.Text;
using OrleansSessions.Client.Log;
using OrleansSessions.Client.Updates;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Questions;

/// <summary>A question that has not ended, with its answer so far. All members hold the session's lock.</summary>
internal sealed class Question(string session, string id, LogPosition log, QuestionTable table)
{
    private readonly StringBuilder _answer = new();
    private readonly StringBuilder _parts = new();
    private readonly List<IUpdateSink> _readers = [];
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _queuePosition;
    private long _bytes;

    public string Id => id;

    /// <summary>The text of the question, or null if it is not known.</summary>
    public string? Text { get; private set; }

    /// <summary>The frame that asks it, while the server has not accepted it from this client; otherwise null.</summary>
    public byte[]? Ask { get; private set; }

    /// <summary>True if this client has sent it, so that the server can have it.</summary>
    public bool WasSent { get; set; }

    public bool IsAccepted { get; private set; }

    /// <summary>The number of the event that accepted it, or 0.</summary>
    public long AcceptedSeq { get; private set; }

    /// <summary>Its place among the accepted ones: the server answers the open question with the lowest one.</summary>
    public long Order { get; set; }

    /// <summary>The index of the next delta.</summary>
    public int Next { get; private set; }

    /// <summary>The epoch that the text belongs to.</summary>
    public string? Epoch { get; private set; }

    /// <summary>How it ended, while its text is incomplete here; otherwise null.</summary>
    public QuestionEnd? KnownEnd { get; set; }

    /// <summary>True while its state is being read from the server.</summary>
    public bool IsBeingRead { get; set; }

    /// <summary>True if the read that is under way began before the session came back, so that it can show a state before that.</summary>
    public bool IsReadStale { get; set; }

    /// <summary>True if the server did not list it as open. It has ended, or the server has lost it.</summary>
    public bool IsMissing { get; set; }

    /// <summary>The number of deltas that the answer has at least: more than <see cref="Next"/> after a gap.</summary>
    public int DeltasSeen { get; private set; }

    /// <summary>How it ended, or null.</summary>
    public AnswerEnd? End { get; private set; }

    /// <summary>Why it is over without an end, or null.</summary>
    public SessionException? Fault { get; private set; }

    /// <summary>True while only those who asked for it follow it, because it can be one that has ended long ago.</summary>
    public bool IsQuiet { get; set; }

    public bool IsOver => End is not null || Fault is not null;

    /// <summary>Completes when the question is over. It never fails.</summary>
    public Task Over => _over.Task;

    public AnswerPosition Position => new()
    {
        Session = session,
        QuestionId = id,
        Epoch = Epoch ?? log.Epoch ?? "",
        Seq = log.Last,
        Deltas = Next,
        Bytes = _bytes,
    };

    /// <summary>Asks it from this client.</summary>
    public void AskWith(string text, byte[] frame) => (Text, Ask) = (text, frame);

    /// <summary>It is open, so those who follow all questions follow it too.</summary>
    public void Publish()
    {
        if (IsQuiet)
        {
            IsQuiet = false;
            foreach (var follower in table.Followers.ToArray())
            {
                Attach(follower);
            }
        }
    }

    public void LearnText(string? text) => Text ??= text;

    public void Accept(int queuePosition, long seq = 0)
    {
        Ask = null;
        IsMissing = false;
        AcceptedSeq = Math.Max(AcceptedSeq, seq);
        if (!IsAccepted)
        {
            (IsAccepted, Order, _queuePosition) = (true, seq, queuePosition);
            foreach (var sink in Sinks())
            {
                sink.Accept(Accepted());
            }
        }
    }

    /// <summary>Applies a run of deltas. Returns false if there is a gap before it.</summary>
    public bool TryAppend(int index, int count, string text)
    {
        DeltasSeen = Math.Max(DeltasSeen, index + count);
        if (index > Next || (index < Next && index + count > Next))
        {
            return false;
        }

        if (index == Next)
        {
            Next += count;
            Append(text);
        }

        return true;
    }

    /// <summary>Takes one part of a snapshot. Returns the whole text with the last one, otherwise null.</summary>
    public string? Join(int part, int parts, string text)
    {
        if (part == 1)
        {
            _parts.Clear();
        }

        _parts.Append(text);
        if (part < parts)
        {
            return null;
        }

        var whole = _parts.ToString();
        _parts.Clear();
        return whole;
    }

    /// <summary>Replaces the text. Readers are told of a restart only if the new text does not continue what they have.</summary>
    public void Replace(string text, int deltas, string? epoch)
    {
        var old = _answer.ToString();
        var continues = text.StartsWith(old, StringComparison.Ordinal);
        _answer.Clear().Append(text);
        (Next, DeltasSeen, Epoch, _bytes) = (deltas, deltas, epoch, Encoding.UTF8.GetByteCount(text));
        foreach (var sink in Sinks())
        {
            if (continues && !sink.IsAhead(id, epoch))
            {
                sink.Append(text.AsSpan(old.Length), Position, Text);
            }
            else
            {
                Restart(sink);
            }
        }
    }

    /// <summary>True if the text that is known here is the whole one.</summary>
    public bool IsWhole(QuestionEnd end) => Next == end.Deltas && _bytes == end.Bytes;

    /// <summary>Ends the question with the text that is known here.</summary>
    public void Finish(AnswerEnd end)
    {
        if (IsOver)
        {
            return;
        }

        Accept(_queuePosition);
        Complete(end with { Text = _answer.ToString() });
    }

    /// <summary>Ends the question without an end.</summary>
    public void Fail(SessionException fault)
    {
        if (IsOver)
        {
            return;
        }

        Fault = fault;
        foreach (var sink in Sinks())
        {
            sink.Fail(Failed(fault));
        }

        Leave();
    }

    /// <summary>Ends a question that was cancelled before it was sent.</summary>
    public void Withdraw() => Complete(Ends.BeforeSent(id));

    /// <summary>Ends a question that was not asked.</summary>
    public void Refuse(SessionException fault)
    {
        Fault = fault;
        _over.TrySetResult();
    }

    /// <summary>Tells a sink what there is so far. Unless the question is over, the sink gets what follows, too.</summary>
    /// <param name="from">What the sink has already; null for nothing.</param>
    public void Attach(IUpdateSink sink, AnswerPosition? from = null)
    {
        if (IsAccepted)
        {
            sink.Accept(Accepted());
        }

        if (from is not null && Epoch is not null && from.Epoch != Epoch)
        {
            Restart(sink);
        }
        else if (_answer.Length > 0)
        {
            sink.Append(_answer.ToString(), Position, Text);
        }

        if (End is not null)
        {
            FinishIn(sink);
        }
        else if (Fault is not null)
        {
            sink.Fail(Failed(Fault));
        }
    }

    public void AttachReader(AnswerReader reader)
    {
        Attach(reader, reader.From);
        if (!IsOver)
        {
            _readers.Add(reader);
        }
    }

    public void Detach(AnswerReader reader) => _readers.Remove(reader);

    private void Append(string text)
    {
        _answer.Append(text);
        _bytes += Encoding.UTF8.GetByteCount(text);
        Epoch ??= log.Epoch;
        foreach (var sink in Sinks())
        {
            sink.Append(text, Position, Text);
        }
    }

    private void Restart(IUpdateSink sink)
    {
        sink.Restart(new() { Position = Position with { Deltas = 0, Bytes = 0 }, Question = Text });
        sink.Append(_answer.ToString(), Position, Text);
    }

    private void FinishIn(IUpdateSink sink)
    {
        if (sink.IsAhead(id, null))
        {
            // What the reader has is not the text of this answer.
            Restart(sink);
        }

        sink.End(new(End!) { Position = Position, Question = Text });
    }

    private void Complete(AnswerEnd end)
    {
        End = end;
        foreach (var sink in Sinks())
        {
            FinishIn(sink);
        }

        Leave();
    }

    private void Leave()
    {
        _readers.Clear();
        table.Remove(this);
        _over.TrySetResult();
    }

    private AnswerAccepted Accepted() => new(_queuePosition) { Position = Position with { Deltas = 0, Bytes = 0 }, Question = Text };

    private AnswerFailed Failed(SessionException fault) => new(fault) { Position = Position, Question = Text };

    /// <summary>A copy, because a sink can leave while it is told something.</summary>
    private IUpdateSink[] Sinks() => IsQuiet ? [.. _readers] : [.. _readers, .. table.Followers];
}
