using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
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
    private readonly ResponderRegistration _responder;
    private readonly QuestionQueue _open = new();
    private readonly EndedQuestions _ended;
    private readonly AnswerWriter _writer;
    private readonly Deadlines _deadlines;
    private readonly Admission _admission;
    private readonly Queue<Question> _newlyEnded = new();

    /// <summary>Creates a session that was never asked.</summary>
    /// <param name="responder">Answers the questions that are asked from now on.</param>
    /// <param name="checkOptions">Says what is wrong with the options of a new question, or null.</param>
    public Session(SessionsOptions options, ResponderRegistration responder, Func<string, OptionFault?> checkOptions, long epoch)
    {
        _options = options;
        _responder = responder;
        _ended = new EndedQuestions(options);
        _writer = new AnswerWriter(options);
        _deadlines = new Deadlines(options);
        Log = new SessionLog(epoch);
        Orphans = new Orphans(_open);
        _admission = new Admission(this, _open, Orphans, options, checkOptions);
        View = new SessionView(this, _open, _ended, _deadlines);
    }

    public SessionLog Log { get; private set; }

    /// <summary>What callers may see of the session.</summary>
    public SessionView View { get; }

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

    /// <summary>True if a question that <see cref="FindReply"/> leaves open would be open in addition to those that are.</summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public bool WouldAdd(AskRequest request, Func<Question, bool> isOrphaned) => _admission.WouldAdd(request, isOrphaned);

    /// <summary>
    /// The first half of asking: the reply to a question that was asked before, or can never be asked. Null for any other, of which <see cref="Admit"/> decides.
    /// </summary>
    public AskReply? FindReply(AskRequest request, DateTimeOffset now)
    {
        // 1. The connection that asks is there: no newer socket outranks it any more.
        Orphans.MarkHeard(request.Connection);

        // 2. An id that is known is answered from the log, whatever else goes on.
        if (request.QuestionId is { } id && Find(id) is { } earlier)
        {
            return earlier.Text == request.Question
                ? Reply(AskOutcome.Duplicate, earlier) with { Position = _open.PositionOf(earlier), Earlier = View.Describe(earlier, now) }
                : new() { Outcome = AskOutcome.Conflict, QuestionId = id, Epoch = Log.Epoch };
        }

        // 3. A fault of the question itself.
        return _admission.FindFault(request) is { } fault ? Refuse(fault, request.QuestionId ?? NewQuestionId(), now) : null;
    }

    /// <summary>
    /// Admits a question that <see cref="FindReply"/> leaves open, or says why not; nothing changes unless the outcome is <see cref="AskOutcome.Accepted"/>.
    /// No other question may be asked in between, but those that are open may end.
    /// </summary>
    /// <param name="isOrphaned">True for a question whose answer no one is left to get.</param>
    public AskReply Admit(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        // 4. Make room, or refuse.
        var id = request.QuestionId ?? NewQuestionId();
        if (_admission.MakeRoom(request, now, isOrphaned) is { } refusal)
        {
            return Refuse(refusal, id, now);
        }

        // 5. Admit it: running, or last in the queue. In the place of an orphan it runs before those that wait.
        var question = new Question(id, request.Question, now)
        {
            MetadataJson = request.MetadataJson,
            OptionsJson = request.OptionsJson,
            User = request.Caller?.Subject,
            TraceParent = request.Caller?.TraceParent,
            Gateway = request.Gateway,
            Connection = request.Connection,
            IsOrphanable = request.IsOrphanable,
            Responder = _responder.Name,
            IsAnsweredFromOutside = _responder.IsAnsweredFromOutside,
        };
        _open.Add(question, now);
        Log.AppendAccepted(question);
        return Reply(AskOutcome.Accepted, question);
    }

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

    /// <summary>All of it that outlives the activation. The texts are shared, not copied: they never change.</summary>
    public SessionState ToState(DateTimeOffset usedAt) => SessionState.From(Log, [.. _ended.All, .. _open.All], usedAt);

    /// <summary>
    /// Takes up a state. Without an open question the numbers go on. With one, its responder is lost with the process that ran it:
    /// it ends as failed, in a new epoch, and the queue goes on.
    /// </summary>
    public void Restore(SessionState state, long newEpoch, DateTimeOffset now)
    {
        var questions = state.Questions.ConvertAll(question => question.ToQuestion());
        questions.FindAll(question => question.IsFinal).ForEach(_ended.Add);
        if (!state.HasOpenQuestion)
        {
            // A delta from before long pieces were split is too long for a frame: nothing is replayed then, and readers get a snapshot.
            var tail = questions.Exists(question => question.LongestDelta > AnswerWriter.MaxDeltaBytes) ? [] : state.LogTail;
            Log = SessionLog.RestoreTail(state.Epoch, state.Head, questions, tail);
            return;
        }

        // The old numbers mean nothing in the new epoch. All earlier questions get its first number, that of the end below, because every follower reaches it.
        questions.ForEach(question => (question.AcceptedSeq, question.DoneSeq) = (1, question.IsFinal ? 1 : 0));
        Log = new SessionLog(newEpoch);
        _open.Restore(questions.Where(question => !question.IsFinal));

        // Those that have waited too long meanwhile must not get their turn.
        EndOverdueInQueue(now);
        if (Running is { } lost)
        {
            End(lost, Ending.ResponderLost, now);
        }

        _open.StartNext(now);
    }

    /// <summary>Forgets everything; the log begins a new epoch.</summary>
    public void Clear(long newEpoch)
    {
        _ended.Clear();
        _open.Clear();
        _writer.Reset();
        Log = new SessionLog(newEpoch);
    }

    private static string NewQuestionId() => $"q-{Guid.NewGuid():n}"[..18];

    private Question? Find(string id) => _open.Find(id) ?? _ended.Find(id);

    private bool IsCurrent(Question question, int attempt) => ReferenceEquals(question, Running) && question.Attempt == attempt;

    private AskReply Reply(AskOutcome outcome, Question question) =>
        new() { Outcome = outcome, QuestionId = question.Id, Epoch = Log.Epoch, Seq = question.AcceptedSeq, Position = question.AcceptedPosition };

    private AskReply Refuse(Refusal refusal, string id, DateTimeOffset now)
    {
        var active = refusal.Outcome is AskOutcome.Busy or AskOutcome.QueueFull ? Running : null;
        var activeFor = active is null ? TimeSpan.Zero : now - active.StartedAt;
        return new()
        {
            Outcome = refusal.Outcome,
            QuestionId = id,
            Epoch = Log.Epoch,
            ActiveQuestionId = active?.Id,
            ActiveForMs = Question.Milliseconds(activeFor),
            FaultyOption = refusal.OptionFault?.Option,
            FaultMessage = refusal.OptionFault?.Message,
        };
    }

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
        if (_ended.Trim() || Log.Count > _options.KeptEvents)
        {
            Log.Trim(_options.KeptEvents, lastEnded: question);
        }
    }
}
