using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Log;

namespace OrleansSessions.Grains.Log;

/// <summary>
/// The numbered events of one session in one epoch, and the truth about them. An entry is a reference to its question; its text stays there.
/// An event is visible once it is released: with a store, only after its write.
/// </summary>
internal sealed class SessionLog(long epoch)
{
    private readonly List<Entry> _entries = [];
    private long _oldest = 1;

    private enum EntryKind : byte
    {
        Accepted,
        Delta,
        Done,
    }

    public long Epoch { get; } = epoch;

    /// <summary>The last number given; 0 is the empty log.</summary>
    public long Head => _oldest + _entries.Count - 1;

    /// <summary>How many entries are held.</summary>
    public int Count => _entries.Count;

    /// <summary>True while an accepted or ended question is in the log that no write has taken yet: with a store it must not become visible before.</summary>
    public bool NeedsWrite { get; private set; }

    /// <summary>The last number that is visible outside the session.</summary>
    public long VisibleHead { get; private set; }

    /// <summary>The oldest event still held; <c>Head + 1</c> where none is.</summary>
    public long OldestSeq => _oldest;

    public void AppendAccepted(Question question)
    {
        question.AcceptedSeq = Append(new(question, EntryKind.Accepted, 0));
        NeedsWrite = true;
    }

    /// <summary>Numbers the delta that the question took last.</summary>
    public void AppendDelta(Question question) => Append(new(question, EntryKind.Delta, question.Deltas - 1));

    public void AppendDone(Question question)
    {
        question.DoneSeq = Append(new(question, EntryKind.Done, 0));
        NeedsWrite = true;
    }

    /// <summary>A write has taken everything up to the head.</summary>
    public void MarkTaken() => NeedsWrite = false;

    /// <summary>The write has failed.</summary>
    public void MarkNotTaken() => NeedsWrite = true;

    /// <summary>Makes events visible.</summary>
    public void ReleaseTo(long seq) => VisibleHead = Math.Max(VisibleHead, Math.Min(seq, Head));

    /// <summary>True if every visible event after <paramref name="afterSeq"/> is still held.</summary>
    public bool Covers(long afterSeq) => afterSeq >= _oldest - 1 && afterSeq <= VisibleHead;

    /// <summary>The visible events after a position that <see cref="Covers"/>, up to about <paramref name="maxBytes"/> of text, at least one.</summary>
    public LogEvent[] Read(long afterSeq, int maxBytes)
    {
        var first = (int)(afterSeq + 1 - _oldest);
        var end = (int)(VisibleHead + 1 - _oldest);
        if (end - first == 1)
        {
            return [Materialise(first)];
        }

        var events = new List<LogEvent>(Math.Min(end - first, 64));
        for (var budget = maxBytes; first < end && (budget > 0 || events.Count == 0); first++)
        {
            var logged = Materialise(first);
            events.Add(logged);
            budget -= 64 + Encoding.UTF8.GetByteCount(logged.Text);
        }

        return [.. events];
    }

    /// <summary>Removes the oldest events: those of questions that are no longer kept, and those above a limit, but never those of an answer that is open or the last.</summary>
    public void Trim(int maxEvents, Question lastEnded)
    {
        var count = 0;
        while (count < _entries.Count)
        {
            var question = _entries[count].Question;
            var isCurrent = !question.IsFinal || ReferenceEquals(question, lastEnded);
            if (!question.IsForgotten && (isCurrent || _entries.Count - count <= maxEvents))
            {
                break;
            }

            count++;
        }

        _entries.RemoveRange(0, count);
        _oldest += count;
    }

    /// <summary>
    /// The newest entries that can be restored from <paramref name="questions"/>, as pairs of a code (place in the list x 4 + kind) and a run's length.
    /// It begins at the first entry after which nothing is missing.
    /// </summary>
    public int[] SaveTail(List<Question> questions, Func<Question, bool> hasBoundaries)
    {
        var runs = new List<int>();
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            var (question, kind, _) = _entries[i];
            var place = questions.IndexOf(question);
            if (place < 0 || (kind == EntryKind.Delta && !hasBoundaries(question)))
            {
                break;
            }

            var code = (place * 4) + (int)kind;
            if (runs.Count > 0 && runs[^2] == code)
            {
                runs[^1]++;
            }
            else
            {
                runs.Add(code);
                runs.Add(1);
            }
        }

        return [.. runs];
    }

    /// <summary>The log whose newest entries <see cref="SaveTail"/> saved, all of it visible.</summary>
    public static SessionLog RestoreTail(long epoch, long head, List<Question> questions, int[] runs)
    {
        var log = new SessionLog(epoch);
        var nextDelta = questions.ConvertAll(question => question.Deltas);
        for (var i = 0; i < runs.Length; i += 2)
        {
            var (place, kind) = (runs[i] / 4, (EntryKind)(runs[i] % 4));
            for (var n = 0; n < runs[i + 1]; n++)
            {
                log._entries.Add(new(questions[place], kind, kind == EntryKind.Delta ? --nextDelta[place] : 0));
            }
        }

        log._entries.Reverse();
        log._oldest = head - log._entries.Count + 1;
        log.VisibleHead = head;
        return log;
    }

    private long Append(Entry entry)
    {
        _entries.Add(entry);
        return Head;
    }

    private LogEvent Materialise(int index)
    {
        var (question, kind, delta) = _entries[index];
        var seq = _oldest + index;
        return kind switch
        {
            EntryKind.Accepted => LogEvent.Accepted(seq, question.Id, question.Text, question.AcceptedPosition),
            EntryKind.Delta => LogEvent.Delta(seq, question.Id, delta, question.DeltaAt(delta)),
            _ => LogEvent.Done(seq, question.Id, question.End!),
        };
    }

    private readonly record struct Entry(Question Question, EntryKind Kind, int Delta);
}
