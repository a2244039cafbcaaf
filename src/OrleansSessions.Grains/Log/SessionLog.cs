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

    /// <summary>The number of the first event that this epoch can have.</summary>
    public long First { get; private init; } = 1;

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
        question.Epoch = Epoch;
        question.AcceptedSeq = Append(new(question, EntryKind.Accepted, 0));
        NeedsWrite = true;
    }

    /// <summary>Numbers the delta that the question took last.</summary>
    public void AppendDelta(Question question) => Append(new(question, EntryKind.Delta, question.Deltas - 1));

    public void AppendDone(Question question)
    {
        if (question.Epoch != Epoch)
        {
            (question.Epoch, question.AcceptedSeq) = (Epoch, 0);
        }

        question.DoneSeq = Append(new(question, EntryKind.Done, 0));
        NeedsWrite = true;
    }

    /// <summary>A write has taken everything up to the head.</summary>
    public void MarkTaken() => NeedsWrite = false;

    /// <summary>The write has failed.</summary>
    public void MarkNotTaken() => NeedsWrite = true;

    /// <summary>Makes events visible.</summary>
    public void ReleaseTo(long seq) => VisibleHead = Math.Max(VisibleHead, Math.Min(seq, Head));

    /// <summary>
    /// Makes deltas visible while accepted and ended questions wait for the store. The deltas take the numbers of those, which get later ones: no one has seen them.
    /// Call it only while no write is under way.
    /// </summary>
    public void ReleaseDeltas()
    {
        var first = (int)Math.Max(VisibleHead + 1 - _oldest, 0);
        var unseen = _entries[first..];
        var deltas = unseen.FindAll(static entry => entry.Kind == EntryKind.Delta);
        if (deltas.Count > 0 && deltas.Count < unseen.Count)
        {
            _entries.RemoveRange(first, unseen.Count);
            _entries.AddRange(deltas);
            _entries.AddRange(unseen.Where(static entry => entry.Kind != EntryKind.Delta));
            Renumber(first + deltas.Count);
        }

        ReleaseTo(_oldest + first + deltas.Count - 1);
    }

    /// <summary>Removes the acceptance of a question that no one has seen. Later events move up.</summary>
    public void Withdraw(Question question)
    {
        var index = (int)(question.AcceptedSeq - _oldest);
        _entries.RemoveAt(index);
        Renumber(index);
    }

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
    /// The log of a question whose process died. Its number 1 stands for all that happened before: no one can read it, so every follower starts from a snapshot.
    /// It must be written before the question is attempted again.
    /// </summary>
    public static SessionLog AfterLoss(long epoch) => new(epoch) { First = 2, _oldest = 2, VisibleHead = 1, NeedsWrite = true };

    /// <summary>A log that goes on after a number, all of it visible. <see cref="ExtendBack"/> gives it its entries.</summary>
    public static SessionLog GoOn(long epoch, long first, long head) => new(epoch) { First = first, _oldest = head + 1, VisibleHead = head };

    /// <summary>The number of an event as clients see it. What an earlier epoch numbered counts as the beginning of this one.</summary>
    public long SeqOf(Question question, long seq) => question.Epoch == Epoch && seq > 0 ? seq : 1;

    /// <summary>Adds older entries, as far as questions that are in memory have them and their numbers have no hole.</summary>
    /// <param name="questions">Those in memory, in the order in which they ended, and then those that are open.</param>
    /// <param name="maxEvents">How many entries are held at most; those of the last answer are held in any case.</param>
    public void ExtendBack(IReadOnlyList<Question> questions, int maxEvents)
    {
        var entries = EntriesOf(questions);
        var last = questions.LastOrDefault(question => question.IsFinal);
        var older = new List<Entry>();
        for (var seq = _oldest - 1; seq >= First && entries.TryGetValue(seq, out var entry); seq--)
        {
            if (_entries.Count + older.Count >= maxEvents && !ReferenceEquals(entry.Question, last))
            {
                break;
            }

            older.Add(entry);
        }

        older.Reverse();
        _entries.InsertRange(0, older);
        _oldest -= older.Count;
    }

    private long Append(Entry entry)
    {
        _entries.Add(entry);
        return Head;
    }

    /// <summary>Gives questions the numbers that their entries have now. Those of deltas follow from their places.</summary>
    private void Renumber(int from)
    {
        for (var i = from; i < _entries.Count; i++)
        {
            var (question, kind, _) = _entries[i];
            if (kind == EntryKind.Accepted)
            {
                question.AcceptedSeq = _oldest + i;
            }
            else if (kind == EntryKind.Done)
            {
                question.DoneSeq = _oldest + i;
            }

            question.Form = null;
        }
    }

    /// <summary>The entries of this epoch that questions have, by number.</summary>
    private Dictionary<long, Entry> EntriesOf(IReadOnlyList<Question> questions)
    {
        var entries = new Dictionary<long, Entry>();
        var here = questions.Where(question => question.Epoch == Epoch).ToList();
        foreach (var question in here)
        {
            entries[question.AcceptedSeq] = new(question, EntryKind.Accepted, 0);
            if (question.IsFinal)
            {
                entries[question.DoneSeq] = new(question, EntryKind.Done, 0);
            }
        }

        foreach (var question in here.Where(question => question is { IsFinal: true, Deltas: > 0 }))
        {
            AddDeltas(entries, question);
        }

        return entries;
    }

    /// <summary>
    /// The numbers of deltas are not stored: they are those before the question's <c>done</c> that no other event has. If they are not as many as its deltas,
    /// some are those of a question that is not in memory. Which ones is not known, and none is added.
    /// </summary>
    private void AddDeltas(Dictionary<long, Entry> entries, Question question)
    {
        var before = question.AcceptedSeq > 0 ? 0 : question.DeltaEnds.Count(end => end <= question.LengthBefore);
        var numbers = new List<long>();
        for (var seq = question.DoneSeq - 1; seq >= First; seq--)
        {
            if (!entries.TryGetValue(seq, out var entry))
            {
                numbers.Add(seq);
            }
            else if (ReferenceEquals(entry.Question, question) || entry.Kind == EntryKind.Delta || entry is { Kind: EntryKind.Done, Question.Deltas: > 0 })
            {
                break;
            }
        }

        if (numbers.Count == question.Deltas - before)
        {
            for (var i = 0; i < numbers.Count; i++)
            {
                entries[numbers[i]] = new(question, EntryKind.Delta, question.Deltas - 1 - i);
            }
        }
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
