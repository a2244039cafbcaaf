using System.Text;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>
/// The model: what clients have seen of the session, all processes together. Whatever is seen next must agree with it. It knows nothing of how sessions are
/// kept: only that what was seen stays, and what the invariants of <c>docs/architecture.md</c> say.
/// </summary>
internal sealed class SeenSession(SessionsOptions options, ModelStore store)
{
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly List<Known> _all = [];
    private readonly SortedDictionary<long, SeenLog> _logs = [];
    private readonly HashSet<(string? Id, string Text)> _asked = [];
    private readonly Dictionary<(string? Id, string Text), int> _uncertain = [];
    private int _life;
    private int _removals;
    private int _moments;
    private long _epoch;
    private bool _isRemovalDoubtful;

    public IEnumerable<Known> Current => _known.Values;

    /// <summary>How many asks have ended, with a reply or without.</summary>
    public int Replies { get; private set; }

    public IEnumerable<long> Epochs => _logs.Keys;

    public long LastSeen(long epoch) => _logs.TryGetValue(epoch, out var log) ? log.Last : 0;

    /// <summary>A client asks. Until it has a reply, anything may have become of it.</summary>
    public void NoteAsk(AskRequest request)
    {
        var key = (request.QuestionId, request.Question);
        _asked.Add(key);
        _uncertain[key] = _uncertain.GetValueOrDefault(key) + 1;
    }

    public void NoteAskReply(AskRequest request, AskReply reply)
    {
        var key = (request.QuestionId, request.Question);
        _uncertain[key]--;
        Replies++;
        NoteEpoch(reply.Epoch);
        switch (reply.Outcome)
        {
            case AskOutcome.Accepted:
                NoteAccepted(reply.QuestionId, request.Question, (reply.Epoch, reply.Seq));
                break;
            case AskOutcome.Duplicate:
                NoteDescription(reply.Earlier!);
                BrokenException.Unless(reply.Earlier!.Question == request.Question, $"{reply.QuestionId} is no duplicate");
                break;
            case AskOutcome.Conflict:
                BrokenException.Unless(IsPossible(reply.QuestionId, text => text != request.Question), $"{reply.QuestionId} conflicts with nothing");
                break;
            case AskOutcome.Busy or AskOutcome.QueueFull:
                BrokenException.Unless(
                    reply.ActiveQuestionId is { } active && ((_known.TryGetValue(active, out var open) && open.End is null) || IsUncertain(active)),
                    $"I5: busy with {reply.ActiveQuestionId}, which is not open");
                break;
        }
    }

    /// <summary>An asker waits no longer. What it asked may have been accepted, or may still be.</summary>
    public void NoteNoReply() => Replies++;

    /// <summary>The session has been removed, as far as a client was told.</summary>
    public void NoteRemoved()
    {
        _life++;
        _known.Clear();
        _all.Clear();
        _isRemovalDoubtful = false;
    }

    /// <summary>A removal ended with a fault, or without a reply: all that was asked before is there, or none of it. It may still go.</summary>
    public void NoteRemovalLost()
    {
        _isRemovalDoubtful = true;
        _removals++;
        _all.ForEach(known => known.Removal ??= _removals);
    }

    /// <summary>
    /// The epoch of a reply. It never goes back, unless nothing has happened in it, for a session that was never asked does not keep its own; or unless the
    /// session was removed since, for the clocks of two processes differ.
    /// </summary>
    public void NoteEpoch(long epoch)
    {
        BrokenException.Unless(epoch >= _epoch || IsOver(LogOf(_epoch)), $"I3: epoch {epoch} came back after {_epoch}");
        _epoch = epoch;
        LogOf(epoch);
    }

    /// <param name="isHung">True if a process sent it that had hung. It may show what was accepted before the session was removed.</param>
    public void NoteEvent(long epoch, LogEvent logged, bool isHung = false)
    {
        var log = LogOf(epoch, isHung);
        if (!log.Add(logged))
        {
            return;
        }

        if (log.Life != _life)
        {
            BrokenException.Unless(isHung || log.Life is null || logged.Kind == LogEventKind.Delta, $"{logged} belongs to a session that was removed");
            return;
        }

        switch (logged.Kind)
        {
            case LogEventKind.Accepted:
                NoteAccepted(logged.QuestionId, logged.Text, (epoch, logged.Seq));
                break;
            case LogEventKind.Done:
                NoteDone(logged.QuestionId, logged.End!, (epoch, logged.Seq));
                break;
            case LogEventKind.Delta:
                var known = Find(logged.QuestionId, null);
                BrokenException.Unless(
                    known.AcceptedAt?.Epoch > epoch || known.DoneAt is not { } done || done.Epoch != epoch || done.Seq > logged.Seq,
                    $"I4: {logged} came after its done");
                break;
        }
    }

    public void NotePiece(ReadLogRequest request, LogPiece piece)
    {
        NoteEpoch(piece.Epoch);
        switch (piece.Outcome)
        {
            case LogReadOutcome.Recovered:
                BrokenException.Unless(piece.Epoch == request.Epoch, $"recovered in {piece.Epoch} what was asked of {request.Epoch}");
                BrokenException.Unless(piece.Head >= LastSeen(piece.Epoch), $"I3: the head is {piece.Head}, but {LastSeen(piece.Epoch)} was seen");
                var next = request.AfterSeq;
                foreach (var logged in piece.Events)
                {
                    BrokenException.Unless(logged.Seq == ++next, $"I3: {logged.Seq} came where {next} should");
                    NoteEvent(piece.Epoch, logged);
                }

                BrokenException.Unless(piece.IsAtHead == (next == piece.Head), $"at {next} of {piece.Head} the head is {piece.IsAtHead}");
                break;
            case LogReadOutcome.EpochChanged or LogReadOutcome.Expired:
                BrokenException.Unless(piece.Epoch != request.Epoch, $"{piece.Outcome} though the epoch is {piece.Epoch}");
                break;
        }

        NoteOpen(piece.Open);
        if (piece.Snapshot is { } snapshot)
        {
            NoteDescription(snapshot);
        }
    }

    public void NoteOpen(OpenQuestion[] open)
    {
        var running = open.Count(question => question.State != QuestionStatus.Queued);
        BrokenException.Unless(running <= 1, $"I1: {running} questions run");
        foreach (var question in open)
        {
            BrokenException.Unless(
                Find(question.QuestionId, null).End is null || IsUncertain(question.QuestionId), $"I2: {question.QuestionId} is open after its done");
        }
    }

    public void NoteDescription(QuestionDescription seen)
    {
        var known = Find(seen.QuestionId, seen.Question);
        var isAnother = known.IsForgotten || (known.End is not null && known.End != seen.End) || (known.Text ?? seen.Question) != seen.Question
            || (known.AskedAt ?? seen.AskedAt) != seen.AskedAt;
        if (isAnother && IsAskedAgain(known, seen.Question))
        {
            known = Add(seen.QuestionId, seen.Question);
        }

        NoteText(known, seen.Question);
        known.AskedAt = seen.AskedAt;
        BrokenException.Unless(!known.IsForgotten, $"{seen.QuestionId} is back after it was forgotten");
        BrokenException.Unless(seen.Bytes == Encoding.UTF8.GetByteCount(seen.Text), $"I7: {seen.QuestionId} has {seen.Bytes} bytes, but its text is another");
        BrokenException.Unless(seen.Status.IsFinal() == seen.End is not null, $"I2: {seen.QuestionId} is {seen.Status} with the end {seen.End}");
        BrokenException.Unless(known.End is null || known.End == seen.End, $"I2: {seen.QuestionId} had ended with {known.End}, and has {seen.End} now");
        BrokenException.Unless(
            seen.Attempt < known.Saved.Attempt ? false : seen.Attempt > known.Saved.Attempt || seen.Text.Length >= known.Saved.Length,
            $"{seen.QuestionId} has {seen.Text.Length} of attempt {seen.Attempt}, but {known.Saved} was saved");
        CheckNumber(seen, seen.AcceptedSeq, LogEventKind.Accepted);
        if (seen.End is not { } end)
        {
            BrokenException.Unless(seen.Deadline is not null, $"I5: {seen.QuestionId} is open without a deadline");
            return;
        }

        BrokenException.Unless(
            (end.Deltas, end.Bytes) == (seen.Deltas, seen.Bytes), $"I7: {seen.QuestionId} has {seen.Deltas} deltas and {seen.Bytes} bytes, but {end}");
        BrokenException.Unless(known.Answer is null || known.Answer == seen.Text, $"the answer to {seen.QuestionId} has changed");
        CheckNumber(seen, seen.DoneSeq, LogEventKind.Done);
        NoteEnd(known, end);
        known.Answer = seen.Text;
        known.DoneAt ??= seen.DoneSeq > 1 ? (seen.Epoch, seen.DoneSeq) : null;
        CheckDeltas(known);
    }

    /// <summary>The session does not know a question, or does not know it any more.</summary>
    public void NoteMissing(string id)
    {
        if (!_known.TryGetValue(id, out var known) || known.IsForgotten)
        {
            return;
        }

        NoteLoss(known, []);
    }

    /// <summary>All questions of the session, oldest first.</summary>
    public void NoteAll(IReadOnlyList<QuestionDescription> all)
    {
        foreach (var seen in all)
        {
            NoteDescription(seen);
        }

        var there = all.Select(seen => seen.QuestionId).ToHashSet();
        BrokenException.Unless(there.Count == all.Count, $"a question is there twice");
        BrokenException.Unless(
            all.Count(seen => !seen.Status.IsFinal() && seen.Status != QuestionStatus.Queued) <= 1, $"I1: more than one question runs");
        var open = all.Where(seen => seen.End is null).Select(seen => _known[seen.QuestionId]).ToHashSet();
        foreach (var known in _known.Values.Where(known => !there.Contains(known.Id) && !known.IsForgotten))
        {
            NoteLoss(known, open);
        }

        var ended = all.Where(seen => seen.End is not null).ToList();
        BrokenException.Unless(ended.Count <= options.KeptQuestions, $"{ended.Count} questions are kept, at most {options.KeptQuestions} may be");
        BrokenException.Unless(
            ended.Count <= 1 || ended.Sum(seen => _known[seen.QuestionId].KeptBytes) <= options.KeptBytes + store.LargestPageBytes, $"too many bytes are kept");
    }

    /// <summary>So much of an answer is in the store for good.</summary>
    public void NoteSaved(QuestionDescription seen)
    {
        if (_known.TryGetValue(seen.QuestionId, out var known) && known.End is null)
        {
            known.Saved = (seen.Attempt, seen.Text.Length);
        }
    }

    private bool IsOver(SeenLog log) => log.Events.Count == 0 || log.Life != _life;

    private SeenLog LogOf(long epoch, bool isHung = false)
    {
        if (!_logs.TryGetValue(epoch, out var log))
        {
            _logs[epoch] = log = new(epoch, isHung ? null : _life);
        }

        return log;
    }

    private void CheckAsked(string id, string? text) =>
        BrokenException.Unless(_asked.Any(ask => IsFor(ask.Id, id) && (text ?? ask.Text) == ask.Text), $"{id} was never asked with this text");

    private Known Add(string id, string? text)
    {
        CheckAsked(id, text);
        var known = new Known(id, text);
        _known[id] = known;
        _all.Add(known);
        return known;
    }

    /// <summary>A question that is seen: known, or one whose asker has had no reply yet.</summary>
    private Known Find(string id, string? text)
    {
        if (_known.TryGetValue(id, out var known))
        {
            return known;
        }

        var asks = _uncertain.Where(ask => ask.Value > 0 && IsFor(ask.Key.Id, id) && (text ?? ask.Key.Text) == ask.Key.Text)
            .Select(ask => ask.Key.Text).ToList();
        BrokenException.Unless(asks.Count > 0, $"{id} came from nowhere");
        var added = Add(id, asks.Count == 1 ? asks[0] : text);
        added.Removal = _isRemovalDoubtful ? _removals : null;
        return added;
    }

    /// <summary>A question is not there any more: the session had no more room for it, or was removed by someone who had no reply.</summary>
    /// <param name="open">Others that are known to be open.</param>
    private void NoteLoss(Known known, HashSet<Known> open)
    {
        if (MayBeForgotten(known, open))
        {
            known.IsForgotten = true;
            return;
        }

        BrokenException.Unless(known.Removal is not null, $"I2: {known.Id} is lost ({known.End}), but should be kept");

        // That removal, or a later one, has taken it with all others of its time. Of those whose acceptance no one saw, the time is not known.
        known.IsForgotten = true;
        _all.FindAll(other => other.Removal <= known.Removal && other.SeenAs > 0).ForEach(other => other.IsForgotten = true);
    }

    private void NoteAccepted(string id, string text, (long Epoch, long Seq) at)
    {
        if (_known.TryGetValue(id, out var known))
        {
            var isLate = known.AcceptedAt is null && (known.Text ?? text) == text && (known.DoneAt is not { } done || done.CompareTo(at) > 0);
            if (known.AcceptedAt == at || isLate)
            {
                NoteText(known, text);
                known.AcceptedAt = at;
                return;
            }

            if (known.AcceptedAt is { } accepted && accepted.CompareTo(at) > 0)
            {
                // It is that of an earlier question with this id, and was not seen while that was there.
                CheckAsked(id, text);
                return;
            }

            if (!known.IsForgotten)
            {
                NoteLoss(known, []);
            }
        }

        known = Add(id, text);
        (known.AcceptedAt, known.SeenAs) = (at, ++_moments);
    }

    private static void NoteText(Known known, string text)
    {
        BrokenException.Unless((known.Text ?? text) == text, $"the text of {known.Id} has changed");
        known.Text = text;
    }

    private void NoteDone(string id, QuestionEnd end, (long Epoch, long Seq) at)
    {
        var known = Find(id, null);
        if (known.AcceptedAt is { } accepted && accepted.CompareTo(at) > 0)
        {
            // It is that of an earlier question with this id.
            BrokenException.Unless(
                _all.Exists(other => other.Id == id && other != known) || _isRemovalDoubtful, $"I2: {id} is done at {at}, but was accepted at {known.AcceptedAt}");
            return;
        }

        var isAnother = known.IsForgotten || (known.DoneAt ?? at) != at || (known.End ?? end) != end;
        if (isAnother && IsUncertain(id) && (known.IsForgotten || known.Removal is not null || MayBeForgotten(known, [])))
        {
            known = Add(id, null);
        }

        BrokenException.Unless(known.DoneAt is null || known.DoneAt == at, $"I2: {id} is done at {at}, and was at {known.DoneAt}");
        BrokenException.Unless(known.End is null || known.End == end, $"I2: {id} had ended with {known.End}, and has {end} now");
        known.DoneAt = at;
        NoteEnd(known, end);
    }

    private void NoteEnd(Known known, QuestionEnd end)
    {
        if (known.End is null)
        {
            (known.End, known.EndedAs) = (end, ++_moments);
        }
    }

    /// <summary>I7: where the whole answer was seen in one epoch, its deltas are its text.</summary>
    private void CheckDeltas(Known known)
    {
        if (known is not { AcceptedAt: { } accepted, DoneAt: { } done } || accepted.Epoch != done.Epoch
            || LogOf(done.Epoch).DeltasOf(known.Id, accepted.Seq, done.Seq) is not { } deltas)
        {
            return;
        }

        BrokenException.Unless(deltas.Count == known.End!.Deltas, $"I7: {known.Id} has {deltas.Count} deltas, but {known.End}");
        BrokenException.Unless(string.Concat(deltas.Select(delta => delta.Text)) == known.Answer, $"I7: the deltas of {known.Id} are not its text");
    }

    private void CheckNumber(QuestionDescription seen, long seq, LogEventKind kind)
    {
        if (seq > 0 && LogOf(seen.Epoch).Events.TryGetValue(seq, out var logged))
        {
            BrokenException.Unless(
                logged.Kind == kind && logged.QuestionId == seen.QuestionId, $"I3: {kind} of {seen.QuestionId} has the number {seq}, which is {logged}");
        }
    }

    /// <summary>True if an ask with or without an id can be that of a question. The ids that a session makes are long.</summary>
    private static bool IsFor(string? asked, string id) => asked == id || (asked is null && id.Length > 2);

    private bool IsUncertain(string id) => _uncertain.Any(ask => ask.Value > 0 && IsFor(ask.Key.Id, id));

    private bool IsPossible(string id, Func<string, bool> isText) =>
        (_known.TryGetValue(id, out var known) && !known.IsForgotten && known.Text is { } text && isText(text))
        || _uncertain.Any(ask => ask.Value > 0 && ask.Key.Id == id && isText(ask.Key.Text));

    /// <summary>True if a question may have been forgotten, and asked again by someone who has no reply yet.</summary>
    private bool IsAskedAgain(Known known, string text) =>
        _uncertain.GetValueOrDefault((known.Id, text)) > 0 && (known.IsForgotten || known.Removal is not null || MayBeForgotten(known, []));

    /// <summary>True unless the limits leave room for it. Pages are forgotten whole, and an eighth of the number at once.</summary>
    /// <param name="open">Others that are known to be open.</param>
    private bool MayBeForgotten(Known known, HashSet<Known> open)
    {
        var newer = _all.FindAll(other => other != known && !known.IsAfter(other) && !open.Contains(other));
        var uncertain = _uncertain.Values.Sum();
        var count = 1 + newer.Count + uncertain + store.LargestPage;
        var bytes = store.LargestPageBytes + newer.Append(known).Sum(other => other.End is null ? options.MaxAnswerBytes : other.KeptBytes)
            + (uncertain * options.MaxAnswerBytes);
        return newer.Count + uncertain > 0 && (count > options.KeptQuestions - (options.KeptQuestions / 8) || bytes > options.KeptBytes);
    }
}
