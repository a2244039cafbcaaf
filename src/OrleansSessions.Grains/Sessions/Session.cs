using System.Text;
using OrleansSessions.Grains.Answers;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The rules of one session: who may ask, what runs, what waits, what is remembered. It is plain state, without Orleans, time or
/// input and output: <see cref="SessionGrain"/> calls it in its turns, stores and publishes what it did, and runs the responder.
/// </summary>
internal sealed partial class Session
{
    private readonly SessionsOptions _options;
    private readonly bool _isAnsweredFromOutside;
    private readonly List<Question> _ended = [];
    private readonly List<Question> _queue = [];
    private readonly Dictionary<string, Question> _byId = new(StringComparer.Ordinal);
    private readonly PairHistory _history;
    private ScalarGuard _scalars;
    private long _endedWeight;

    /// <summary>A session that nobody has asked yet.</summary>
    public Session(SessionsOptions options, bool isAnsweredFromOutside, long epoch)
    {
        _options = options;
        _history = new PairHistory(options);
        _isAnsweredFromOutside = isAnsweredFromOutside;
        Log = new AnswerLog(epoch);
    }

    /// <summary>Called in the same turn for each question that ends.</summary>
    public event Action<Question>? QuestionEnded;

    public AnswerLog Log { get; private set; }

    /// <summary>The one question that runs, or null: I1 is that there is room for one.</summary>
    public Question? Running { get; private set; }

    public IReadOnlyList<Question> Queue => _queue;

    /// <summary>False until the first question: nothing is kept for a session that was never asked.</summary>
    public bool IsKnown => Log.Head > 0;

    public bool HasOpenQuestion => Running is not null;

    /// <summary>Running first, then queued in order.</summary>
    public IEnumerable<Question> Open => Running is null ? _queue : _queue.Prepend(Running);

    /// <summary>Admits a question or says why not; nothing changes unless the outcome is <see cref="AskOutcome.Accepted"/>.</summary>
    /// <param name="isOrphaned">Tells whether nobody is left who could get a question's answer.</param>
    public AskReply Ask(AskRequest request, DateTimeOffset now, Func<Question, bool> isOrphaned)
    {
        // 1. An id that is known is answered from the log, whatever else goes on.
        var id = request.QuestionId ?? NewQuestionId();
        if (Find(id) is { } earlier)
        {
            return earlier.Text == request.Question
                ? new(AskOutcome.Duplicate, id, Log.Epoch, earlier.AcceptedSeq, PositionOf(earlier), Describe(earlier))
                : new(AskOutcome.Conflict, id, Log.Epoch, 0);
        }

        // 2. Make room, or refuse.
        var mayReplace = request.IfBusy == IfBusy.Replace || (Running is { } running && isOrphaned(running));
        if (Running is not null && mayReplace)
        {
            EndAll(DoneReasons.Replaced, now);
        }
        else if (Running is not null && request.IfBusy == IfBusy.Reject)
        {
            return Refuse(AskOutcome.Busy, id, now);
        }
        else if (Running is not null && _queue.Count >= _options.MaxQueuedQuestions)
        {
            return Refuse(AskOutcome.QueueFull, id, now);
        }

        // 3. Admit it: running, or last in the queue.
        var question = new Question(id, request.Question, now)
        {
            MetadataJson = request.MetadataJson,
            Gateway = request.Gateway,
            Connection = request.Connection,
            IsOrphanable = request.IsOrphanable,
        };
        if (Running is null)
        {
            OpenNow(question, now);
        }
        else
        {
            question.Status = QuestionStatus.Queued;
            _queue.Add(question);
            question.AcceptedPosition = _queue.Count;
        }

        _byId.Add(id, question);
        Log.AppendAccepted(question);
        return new(AskOutcome.Accepted, id, Log.Epoch, question.AcceptedSeq, question.AcceptedPosition);
    }

    /// <summary>Ends a question at a client's word.</summary>
    public CancelReply Cancel(string? questionId, DateTimeOffset now)
    {
        var question = questionId is null ? Running : Find(questionId);
        if (question is null)
        {
            return new(CancelOutcome.NotFound, questionId, Log.Epoch, Log.Head);
        }

        if (question.IsFinal)
        {
            return new(CancelOutcome.AlreadyDone, question.Id, Log.Epoch, Log.Head, Describe(question));
        }

        var head = Log.Head;
        End(question, QuestionStatus.Cancelled, DoneReasons.ByClient, "A client cancelled the question.", false, now);
        return new(CancelOutcome.Cancelling, question.Id, Log.Epoch, head);
    }

    /// <summary>Marks what a connection that is gone had asked without an id: nobody else can ever get that answer.</summary>
    public void ForgetConnection(string connection)
    {
        foreach (var question in Open.Where(question => question.Connection == connection))
        {
            question.IsConnectionGone = true;
        }
    }

    /// <summary>Takes text from the responder of one attempt. False if that attempt does not count any more: nothing was appended (I4).</summary>
    public bool TryAppend(Question question, int generation, string text, DateTimeOffset now)
    {
        if (!IsCurrent(question, generation))
        {
            return false;
        }

        Append(question, _scalars.Take(text), now);
        return true;
    }

    /// <summary>Ends a question at its responder's word. False if that attempt does not count any more.</summary>
    public bool TryEnd(
        Question question, int generation, QuestionStatus status, string? reason, string? message, bool isRetryable, DateTimeOffset now)
    {
        if (!IsCurrent(question, generation))
        {
            return false;
        }

        Append(question, _scalars.Flush(), now);
        if (!question.IsFinal)
        {
            End(question, status, reason, message, isRetryable, now);
        }

        return true;
    }

    /// <summary>Ends everything that is open, running first, with one reason.</summary>
    public void EndAll(string reason, DateTimeOffset now)
    {
        var message = reason == DoneReasons.Replaced ? "Another question took its place." : "The session was removed.";
        foreach (var question in Open.ToArray())
        {
            // The queue is emptied before its questions could be opened one after the other.
            _queue.Remove(question);
            Conclude(question, QuestionStatus.Cancelled, reason, message, false, now);
        }
    }

    /// <summary>Ends everything that is open as lost, running first: another silo may hold this session.</summary>
    public void EndLost(DateTimeOffset now)
    {
        foreach (var question in Open.ToArray())
        {
            _queue.Remove(question);
            Conclude(question, QuestionStatus.Failed, DoneReasons.ResponderLost, "The process that was answering has left its cluster. Ask again.", true, now);
        }
    }

    /// <summary>Earlier pairs for the responder, oldest first: those whose text a client has seen and that did not fail.</summary>
    public IReadOnlyList<AnsweredQuestion> History() => _history.ToArray();

    public bool IsCurrent(Question question, int generation) => ReferenceEquals(question, Running) && question.Generation == generation;

    private static string NewQuestionId() => $"q-{Guid.NewGuid():n}"[..18];

    private Question? Find(string id) => _byId.GetValueOrDefault(id);

    private AskReply Refuse(AskOutcome outcome, string id, DateTimeOffset now) => new(
        outcome, id, Log.Epoch, 0, ActiveQuestionId: Running!.Id, ActiveForMs: Milliseconds(now - Running.OpenedAt));

    private void OpenNow(Question question, DateTimeOffset now)
    {
        question.Status = QuestionStatus.Accepted;
        question.OpenedAt = now;
        Running = question;
        _scalars = default;
    }

    private void Append(Question question, string text, DateTimeOffset now)
    {
        if (text.Length == 0)
        {
            return;
        }

        var bytes = Encoding.UTF8.GetByteCount(text);
        var room = _options.MaxAnswerBytes - question.Bytes;
        var isTooLarge = bytes > room;
        if (isTooLarge)
        {
            text = ScalarGuard.CutToBytes(text, room);
            bytes = Encoding.UTF8.GetByteCount(text);
        }

        if (text.Length > 0)
        {
            question.Status = QuestionStatus.Answering;
            question.FirstDeltaAt ??= now;
            question.LastDeltaAt = now;
            question.AppendDelta(text, bytes);
            Log.AppendDelta(question);
        }

        if (isTooLarge)
        {
            End(
                question, QuestionStatus.Incomplete, DoneReasons.AnswerTooLarge,
                $"The answer was cut at {_options.MaxAnswerBytes} bytes (Sessions:MaxAnswerBytes).", false, now);
        }
    }

    /// <summary>Ends one question; if it was the running one, the next in the queue opens in the same turn.</summary>
    private void End(Question question, QuestionStatus status, string? reason, string? message, bool isRetryable, DateTimeOffset now)
    {
        _queue.Remove(question);
        Conclude(question, status, reason, message, isRetryable, now);
        if (Running is null && _queue.Count > 0)
        {
            var next = _queue[0];
            _queue.RemoveAt(0);
            OpenNow(next, now);
        }
    }

    private void Conclude(Question question, QuestionStatus status, string? reason, string? message, bool isRetryable, DateTimeOffset now)
    {
        var openedAt = question.Status == QuestionStatus.Queued ? question.AskedAt : question.OpenedAt;
        question.Status = status;
        question.End = new QuestionEnd(
            status, reason, message, isRetryable, question.Deltas, question.Bytes,
            question.FirstDeltaAt is { } first ? Milliseconds(first - openedAt) : null, Milliseconds(now - openedAt));
        question.Seal();
        if (ReferenceEquals(Running, question))
        {
            Running = null;
        }

        Log.AppendDone(question);
        _ended.Add(question);
        _endedWeight += question.Weight;
        _history.Add(question);
        Trim();
        QuestionEnded?.Invoke(question);
    }

    /// <summary>
    /// Keeps the last questions, within number and bytes, but always the very last one. Past the number it makes room for some more at once,
    /// so that a busy session does not move its lists at every question.
    /// </summary>
    private void Trim()
    {
        var kept = _ended.Count > _options.KeptQuestions ? _options.KeptQuestions - (_options.KeptQuestions / 8) : _options.KeptQuestions;
        var count = 0;
        while (_ended.Count - count > 1 && (_ended.Count - count > kept || _endedWeight > _options.KeptBytes))
        {
            var forgotten = _ended[count++];
            forgotten.IsForgotten = true;
            _endedWeight -= forgotten.Weight;
            _byId.Remove(forgotten.Id);
        }

        if (count > 0 || Log.Count > _options.KeptEvents)
        {
            _ended.RemoveRange(0, count);
            Log.Trim(_options.KeptEvents, lastEnded: _ended[^1]);
        }
    }

    private int PositionOf(Question question) => _queue.IndexOf(question) + 1;

    private static long Milliseconds(TimeSpan duration) => Math.Max(0, (long)duration.TotalMilliseconds);
}
