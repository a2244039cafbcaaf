using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The rules of one session: who may ask, what runs, what waits, what is remembered. It is plain state, without Orleans, time or
/// input and output. <see cref="SessionGrain"/> calls it in its turns, and <see cref="SessionEffects"/> carries out what follows from a change.
/// </summary>
internal sealed class Session
{
    private readonly SessionsOptions _options;
    private readonly QuestionQueue _open = new();
    private readonly EndedQuestions _ended;
    private readonly AnswerWriter _writer;
    private readonly Deadlines _deadlines;
    private readonly Recovery _recovery;
    private readonly Queue<Question> _newlyEnded = new();
    private long _oldestStored;

    /// <summary>Creates a session that was never asked.</summary>
    /// <param name="responder">Answers the questions that are asked from now on.</param>
    /// <param name="recovery">What that responder declares for questions whose process dies.</param>
    /// <param name="checkOptions">Says what is wrong with the options of a new question, or null.</param>
    public Session(
        SessionsOptions options, ResponderRegistration responder, RecoveryMode recovery, Func<string, OptionFault?> checkOptions, long epoch)
    {
        _options = options;
        _ended = new EndedQuestions(options);
        _writer = new AnswerWriter(options);
        _deadlines = new Deadlines(options);
        _recovery = new Recovery(options, responder, recovery);
        (Log, Born) = (new SessionLog(epoch), epoch);
        Orphans = new Orphans(_open);
        Admission = new Admission(this, _open, options, responder, checkOptions);
        View = new SessionView(this, _open, _ended, _deadlines);
    }

    public SessionLog Log { get; private set; }

    /// <summary>Its first epoch. A session that is removed and asked again has another one.</summary>
    public long Born { get; private set; }

    /// <summary>What callers may see of the session.</summary>
    public SessionView View { get; }

    /// <summary>Decides which questions are asked.</summary>
    public Admission Admission { get; }

    public Orphans Orphans { get; }

    /// <summary>The question that runs, or null.</summary>
    public Question? Running => _open.Running;

    /// <summary>The questions that wait, in order.</summary>
    public IReadOnlyList<Question> Waiting => _open.Waiting;

    /// <summary>False until the first question: nothing is kept for a session that was never asked.</summary>
    public bool IsKnown => Log.Head > 0;

    public bool HasOpenQuestion => Running is not null;

    public bool IsOpen(string questionId) => _open.Find(questionId) is not null;

    public int OpenCount => (HasOpenQuestion ? 1 : 0) + Waiting.Count;

    /// <summary>The question that ended last, or null.</summary>
    public Question? LastEnded => _ended.Last;

    /// <summary>The ended questions that are kept.</summary>
    public EndedQuestions Ended => _ended;

    /// <summary>The running question, then the queue in order.</summary>
    public IEnumerable<Question> Open => _open.All;

    /// <summary>All that the record of the session holds: the ended questions that no page has, then the running one, then the queue in order.</summary>
    public IEnumerable<Question> InRecord => _ended.InRecord.Concat(_open.All);

    /// <summary>The oldest event that can be replayed, also after reading what is not in memory. It never promises too much.</summary>
    public long OldestSeq =>
        _ended.Pages.HasUnloaded ? Math.Min(Math.Max(_oldestStored, Log.Head + 1 - _options.KeptEvents), Log.OldestSeq) : Log.OldestSeq;

    /// <summary>Ends a question for a client.</summary>
    public CancelReply Cancel(string? questionId, DateTimeOffset now)
    {
        var question = questionId is null ? Running : Find(questionId);
        var reply = new CancelReply { Outcome = CancelOutcome.NotFound, QuestionId = question?.Id ?? questionId, Epoch = Log.Epoch, AfterSeq = Log.Head };
        if (question is null)
        {
            return reply;
        }

        if (question.IsFinal)
        {
            return reply with { Outcome = CancelOutcome.AlreadyDone, Question = View.Describe(question, now) };
        }

        End(question, Ending.CancelledByClient, now);
        return reply with { Outcome = CancelOutcome.Cancelling };
    }

    /// <summary>Takes an answer from outside, or one piece of it.</summary>
    /// <param name="isAttended">True while a socket is attached that sees the answer.</param>
    public AnswerReply Answer(AnswerRequest request, bool isAttended, DateTimeOffset now) =>
        ExternalAnswers.Take(this, request.QuestionId is { } id ? Find(id) : Running, request, isAttended, now);

    /// <summary>Takes text from the responder of one attempt. False if that attempt does not count any more: nothing was appended (I4).</summary>
    public bool TryAppend(Question question, int attempt, string text, DateTimeOffset now)
    {
        if (!IsCurrent(question, attempt))
        {
            return false;
        }

        if (!_writer.Write(Log, question, text, now))
        {
            EndTooLarge(question, now);
        }

        return true;
    }

    /// <summary>Ends a question as its responder says. False if that attempt does not count any more.</summary>
    public bool TryEnd(Question question, int attempt, Ending ending, DateTimeOffset now)
    {
        if (!IsCurrent(question, attempt))
        {
            return false;
        }

        if (_writer.Flush(Log, question, now))
        {
            End(question, ending, now);
        }
        else
        {
            EndTooLarge(question, now);
        }

        return true;
    }

    /// <summary>Takes back a question whose acceptance could not be stored, so that no one has seen it.</summary>
    /// <returns>False if it has ended meanwhile: then its acceptance and its end must be stored.</returns>
    public bool TryWithdraw(Question question)
    {
        if (question.IsFinal)
        {
            return false;
        }

        _open.Remove(question);
        Log.Withdraw(question);
        return true;
    }

    /// <summary>Ends everything that is open in one way, running first.</summary>
    public void EndAll(Ending ending, DateTimeOffset now) => EndEach([.. _open.All], ending, now);

    /// <summary>Ends questions without starting the next in the queue, because the caller has another in mind, or none.</summary>
    public void EndEach(List<Question> questions, Ending ending, DateTimeOffset now)
    {
        foreach (var question in questions)
        {
            Conclude(question, ending, now);
        }
    }

    /// <summary>Ends the questions whose deadline has passed.</summary>
    public void EndOverdue(DateTimeOffset now)
    {
        EndOverdueInQueue(now);
        if (Running is { } running && _deadlines.FindTimeout(running, now) is { } timeout)
        {
            End(running, timeout, now);
        }
    }

    /// <summary>When the next deadline passes, or null where nothing is open.</summary>
    public DateTimeOffset? NextDeadline() => _deadlines.Next(_open);

    /// <summary>When <see cref="EndOverdue"/> must be called at the latest, or null where nothing is open. It can be before <see cref="NextDeadline"/>.</summary>
    public DateTimeOffset? NextLook(DateTimeOffset now) => _deadlines.NextLook(_open, now);

    /// <summary>Earlier pairs for the responder, oldest first.</summary>
    public IReadOnlyList<AnsweredQuestion> History() => _ended.Pairs();

    /// <summary>Takes the next question that has ended, in order; null where all were taken.</summary>
    public Question? TakeNextEnded() => _newlyEnded.TryDequeue(out var question) ? question : null;

    /// <summary>All that its pages do not hold. The texts are shared, not copied: they never change.</summary>
    public SessionRecord ToRecord(DateTimeOffset usedAt) => ToRecord(usedAt, InRecord);

    /// <summary>The record with some of what it holds.</summary>
    public SessionRecord ToRecord(DateTimeOffset usedAt, IEnumerable<Question> questions) => new()
    {
        Epoch = Log.Epoch,
        First = Log.First,
        Head = Log.Head,
        OldestSeq = OldestSeq,
        UsedAt = usedAt,
        Born = Born,
        Questions = [.. questions.Select(QuestionState.From)],
    };

    /// <summary>
    /// Takes up what an earlier activation has left. Without an open question the numbers go on. With one, its process has died: a new epoch begins, because no
    /// one knows what clients have seen, and the question is attempted again or ends, as its responder declares. The log then needs a write.
    /// </summary>
    public void Restore(SavedSession saved, long newEpoch, DateTimeOffset now)
    {
        Born = saved.Record.Born;
        _ended.Restore(saved.Pages, saved.Ended);
        if (saved.Open.Count == 0)
        {
            _oldestStored = saved.Record.OldestSeq;
            Log = SessionLog.GoOn(saved.Record.Epoch, saved.Record.First, saved.Record.Head);
            Log.ExtendBack(_ended.All, _options.KeptEvents);
            return;
        }

        Log = SessionLog.AfterLoss(newEpoch);
        _oldestStored = Log.OldestSeq;
        _open.Restore(saved.Open);

        // Those that have waited too long meanwhile must not get their turn.
        EndOverdueInQueue(now);
        if (Running is { } lost)
        {
            // Only the total timer has gone on: the others start again with the attempt.
            lost.AttemptStartedAt = now;
            var text = lost.Saved;
            if ((_deadlines.FindTimeout(lost, now) ?? _recovery.Resume(lost, now)) is { } ending)
            {
                // None of its deltas is in this epoch.
                lost.LengthBefore = lost.Length;
                End(lost, ending, now);
            }
            else if (lost.Saved is null && text is not null)
            {
                _ended.ForgetChunks(text.Ranges);
            }
        }

        _open.StartNext(now);
    }

    /// <summary>Takes up the ended questions that were not in memory, see <see cref="EndedQuestions.TakeOlder"/>. Their events can be replayed again.</summary>
    public void TakeOlder(IReadOnlyList<(EndedPage Page, List<Question>? Questions)> pages)
    {
        _ended.TakeOlder(pages);
        Log.ExtendBack([.. _ended.All, .. _open.All], _options.KeptEvents);
    }

    /// <summary>Forgets everything; the log begins a new epoch.</summary>
    public void Clear(long newEpoch)
    {
        _ended.Clear();
        _open.Clear();
        _writer.Reset();
        (Log, Born) = (new SessionLog(newEpoch), newEpoch);
    }

    /// <summary>A question by its id, open or ended, or null where none is in memory.</summary>
    public Question? Find(string id) => _open.Find(id) ?? _ended.Find(id);

    private bool IsCurrent(Question question, int attempt) => ReferenceEquals(question, Running) && question.Attempt == attempt;

    private void EndOverdueInQueue(DateTimeOffset now) => EndEach(_deadlines.OverdueIn(_open, now), _deadlines.QueueTimeout(), now);

    private void EndTooLarge(Question question, DateTimeOffset now) => End(
        question, Ending.Incomplete(DoneReasons.AnswerTooLarge, $"The answer was cut at {_options.MaxAnswerBytes} bytes (Sessions:MaxAnswerBytes)."), now);

    /// <summary>Ends one question; if it was the running one, the next in the queue starts in the same turn.</summary>
    private void End(Question question, Ending ending, DateTimeOffset now)
    {
        Conclude(question, ending, now);
        _open.StartNext(now);
    }

    private void Conclude(Question question, Ending ending, DateTimeOffset now)
    {
        if (ReferenceEquals(question, Running))
        {
            _writer.Reset();
        }

        _open.Remove(question);
        question.Conclude(ending, now);
        Log.AppendDone(question);
        _ended.Add(question);
        _newlyEnded.Enqueue(question);
        var hadUnloaded = _ended.Pages.HasUnloaded;
        var isTrimmed = _ended.Trim();
        if (isTrimmed || Log.Count > _options.KeptEvents)
        {
            Log.Trim(_options.KeptEvents, lastEnded: question);
        }

        if (isTrimmed && hadUnloaded)
        {
            // The numbers that the next unloaded page begins with are not known before it is read.
            _oldestStored = Log.OldestSeq;
        }
    }
}
