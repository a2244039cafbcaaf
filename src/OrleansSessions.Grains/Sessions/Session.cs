using System.Text;
using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The rules of one session: who may ask, what runs, what waits, what is remembered. It is plain state, without Orleans, time or
/// input and output: <see cref="SessionGrain"/> calls it in its turns, stores and publishes what it did, and runs the responder.
/// </summary>
internal sealed partial class Session
{
    /// <summary>A longer piece becomes several deltas. Six bytes of JSON for a byte of text is the worst case, so such a frame stays below 100 KiB.</summary>
    private const int MaxDeltaBytes = 16 * 1024;

    /// <summary>The longest reason, in characters: as long as an id, which is what a reason looks like.</summary>
    private const int MaxReasonLength = 64;

    /// <summary>The longest message of an end: the longest code and message that <c>/answer</c> takes, and what joins them.</summary>
    private const int MaxEndMessageBytes = 64 + 2 + 1024;

    private const string ReplacedMessage = "Another question took its place.";

    private readonly SessionsOptions _options;
    private readonly ResponderRegistration _responder;
    private readonly List<Question> _ended = [];
    private readonly List<Question> _queue = [];
    private readonly Dictionary<string, Question> _byId = new(StringComparer.Ordinal);
    private readonly PairHistory _history;
    private ScalarGuard _scalars;
    private long _keptBytes;

    /// <summary>Creates a session that was never asked.</summary>
    /// <param name="responder">Answers the questions that are asked from now on.</param>
    public Session(SessionsOptions options, ResponderRegistration responder, long epoch)
    {
        _options = options;
        _history = new PairHistory(options);
        _responder = responder;
        Log = new SessionLog(epoch);
    }

    /// <summary>Called in the same turn for each question that ends.</summary>
    public event Action<Question>? QuestionEnded;

    public SessionLog Log { get; private set; }

    /// <summary>The one question that runs, or null: I1 is that there is room for one.</summary>
    public Question? Running { get; private set; }

    public IReadOnlyList<Question> Queue => _queue;

    /// <summary>False until the first question: nothing is kept for a session that was never asked.</summary>
    public bool IsKnown => Log.Head > 0;

    public bool HasOpenQuestion => Running is not null;

    /// <summary>Running first, then queued in order.</summary>
    public IEnumerable<Question> Open => Running is null ? _queue : _queue.Prepend(Running);

    /// <summary>Ends a question at a client's word.</summary>
    public CancelReply Cancel(string? questionId, DateTimeOffset now)
    {
        var question = questionId is null ? Running : Find(questionId);
        if (question is null)
        {
            return new() { Outcome = CancelOutcome.NotFound, QuestionId = questionId, Epoch = Log.Epoch, AfterSeq = Log.Head };
        }

        if (question.IsFinal)
        {
            return new()
            {
                Outcome = CancelOutcome.AlreadyDone,
                QuestionId = question.Id,
                Epoch = Log.Epoch,
                AfterSeq = Log.Head,
                Question = Describe(question, now),
            };
        }

        var head = Log.Head;
        End(question, QuestionStatus.Cancelled, DoneReasons.ByClient, "A client cancelled the question.", false, now);
        return new() { Outcome = CancelOutcome.Cancelling, QuestionId = question.Id, Epoch = Log.Epoch, AfterSeq = head };
    }

    /// <summary>Takes text from the responder of one attempt. False if that attempt does not count any more: nothing was appended (I4).</summary>
    public bool TryAppend(Question question, int attempt, string text, DateTimeOffset now)
    {
        if (!IsCurrent(question, attempt))
        {
            return false;
        }

        Append(question, _scalars.Take(text), now);
        return true;
    }

    /// <summary>Ends a question at its responder's word. False if that attempt does not count any more.</summary>
    public bool TryEnd(
        Question question, int attempt, QuestionStatus status, string? reason, string? message, bool isRetryable, DateTimeOffset now)
    {
        if (!IsCurrent(question, attempt))
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
        var message = reason == DoneReasons.Replaced ? ReplacedMessage : "The session was removed.";
        ConcludeAll([.. Open], QuestionStatus.Cancelled, reason, message, false, now);
    }

    /// <summary>Ends everything that is open as lost, running first: another silo may hold this session.</summary>
    public void EndLost(DateTimeOffset now) => ConcludeAll(
        [.. Open], QuestionStatus.Failed, DoneReasons.ResponderLost, "The process that was answering has left its cluster. Ask again.", true, now);

    /// <summary>Earlier pairs for the responder, oldest first: those whose text a client has seen and that did not fail.</summary>
    public IReadOnlyList<AnsweredQuestion> History() => _history.ToArray();

    public bool IsCurrent(Question question, int attempt) => ReferenceEquals(question, Running) && question.Attempt == attempt;

    /// <summary>Ends questions without opening the next in the queue: the caller has another in mind, or none.</summary>
    private void ConcludeAll(
        IReadOnlyList<Question> questions, QuestionStatus status, string reason, string message, bool isRetryable, DateTimeOffset now)
    {
        foreach (var question in questions)
        {
            _queue.Remove(question);
            Conclude(question, status, reason, message, isRetryable, now);
        }
    }

    private Question? Find(string id) => _byId.GetValueOrDefault(id);

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
            AppendDeltas(question, text, bytes);
        }

        if (isTooLarge)
        {
            End(
                question, QuestionStatus.Incomplete, DoneReasons.AnswerTooLarge,
                $"The answer was cut at {_options.MaxAnswerBytes} bytes (Sessions:MaxAnswerBytes).", false, now);
        }
    }

    /// <summary>Common clients refuse a frame above 1 MiB, so a long piece becomes a run of deltas.</summary>
    private void AppendDeltas(Question question, ReadOnlySpan<char> text, int bytes)
    {
        while (bytes > MaxDeltaBytes)
        {
            var delta = text[..ScalarGuard.LengthWithin(text, MaxDeltaBytes)];
            var deltaBytes = Encoding.UTF8.GetByteCount(delta);
            question.AppendDelta(delta, deltaBytes);
            Log.AppendDelta(question);
            text = text[delta.Length..];
            bytes -= deltaBytes;
        }

        question.AppendDelta(text, bytes);
        Log.AppendDelta(question);
    }

    /// <summary>Ends one question; if it was the running one, the next in the queue opens in the same turn.</summary>
    private void End(Question question, QuestionStatus status, string? reason, string? message, bool isRetryable, DateTimeOffset now)
    {
        _queue.Remove(question);
        Conclude(question, status, reason, message, isRetryable, now);
        OpenNext(now);
    }

    private void OpenNext(DateTimeOffset now)
    {
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
        question.End = new QuestionEnd
        {
            Status = status,
            Reason = Cut(reason, MaxReasonLength),
            Message = Cut(message, MaxEndMessageBytes),
            IsRetryable = isRetryable,
            Deltas = question.Deltas,
            Bytes = question.Bytes,
            FirstMs = question.FirstDeltaAt is { } first ? Milliseconds(first - openedAt) : null,
            TotalMs = Milliseconds(now - openedAt),
        };
        question.Seal();
        question.MetadataJson = null;
        if (ReferenceEquals(Running, question))
        {
            Running = null;
        }

        Log.AppendDone(question);
        _ended.Add(question);
        _keptBytes += question.KeptBytes;
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
        while (_ended.Count - count > 1 && (_ended.Count - count > kept || _keptBytes > _options.KeptBytes))
        {
            var forgotten = _ended[count++];
            forgotten.IsForgotten = true;
            _keptBytes -= forgotten.KeptBytes;
            _byId.Remove(forgotten.Id);
        }

        if (count > 0 || Log.Count > _options.KeptEvents)
        {
            _ended.RemoveRange(0, count);
            Log.Trim(_options.KeptEvents, lastEnded: _ended[^1]);
        }
    }

    private int PositionOf(Question question) => _queue.IndexOf(question) + 1;

    private static string? Cut(string? text, int maxBytes) => text is null ? null : ScalarGuard.CutToBytes(text, maxBytes);

    private static long Milliseconds(TimeSpan duration) => Math.Max(0, (long)duration.TotalMilliseconds);
}
