using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

// What others may see of a session.
internal sealed partial class Session
{
    public OpenQuestion[] OpenQuestions(DateTimeOffset now) =>
        Running is null && _queue.Count == 0
            ? []
            : [.. Open.Select(question => new OpenQuestion(question.Id, question.Status, Milliseconds(now - question.AskedAt)))];

    /// <summary>The running question as a snapshot, or null.</summary>
    public QuestionDescription? OpenSnapshot(DateTimeOffset now) => Running is null ? null : Describe(Running, now);

    /// <summary>The open answer, or else the last one, or null.</summary>
    public QuestionDescription? CurrentSnapshot(DateTimeOffset now) => OpenSnapshot(now) ?? (_ended.Count > 0 ? Describe(_ended[^1], now) : null);

    public QuestionDescription? DescribeQuestion(string id, DateTimeOffset now) => Find(id) is { } question ? Describe(question, now) : null;

    /// <summary>The last questions, oldest first, open ones included.</summary>
    public QuestionDescription[] DescribeLast(int limit, DateTimeOffset now) =>
        [.. _ended.Concat(Open).TakeLast(limit).Select(question => Describe(question, now))];

    public SessionDescription DescribeSession(int connections, DateTimeOffset? expiresAt, DateTimeOffset now) => new()
    {
        Epoch = Log.Epoch,
        Seq = Log.VisibleHead,
        OldestSeq = Log.OldestSeq,
        Connections = connections,
        Open = [.. Open.Select(question => Describe(question, now))],
        ExpiresAt = expiresAt,
    };

    /// <summary>Reads on from a position, or tells why that cannot be done whole.</summary>
    public LogPiece ReadLog(long epoch, long afterSeq, int maxBytes, DateTimeOffset now)
    {
        var outcome = LogReadOutcome.Recovered;
        if (epoch != Log.Epoch)
        {
            outcome = IsKnown ? LogReadOutcome.EpochChanged : LogReadOutcome.Expired;
        }
        else if (!Log.Covers(afterSeq))
        {
            outcome = LogReadOutcome.Trimmed;
        }

        if (outcome != LogReadOutcome.Recovered)
        {
            return new()
            {
                Outcome = outcome,
                Epoch = Log.Epoch,
                Head = Log.VisibleHead,
                Events = [],
                IsAtHead = true,
                Open = OpenQuestions(now),
                Snapshot = CurrentSnapshot(now),
            };
        }

        var events = Log.Read(afterSeq, maxBytes);
        var isAtHead = afterSeq + events.Length == Log.VisibleHead;
        return new()
        {
            Outcome = outcome,
            Epoch = Log.Epoch,
            Head = Log.VisibleHead,
            Events = events,
            IsAtHead = isAtHead,
            Open = isAtHead ? OpenQuestions(now) : [],
        };
    }

    private QuestionDescription Describe(Question question, DateTimeOffset now)
    {
        DateTimeOffset? deadline = question switch
        {
            { IsFinal: true } => null,
            { Status: QuestionStatus.Queued } => question.AskedAt + _options.QueueTimeout,
            _ => DeadlineOf(question).At,
        };
        return new()
        {
            QuestionId = question.Id,
            Question = question.Text,
            Text = question.Answer,
            Deltas = question.Deltas,
            Bytes = question.Bytes,
            Status = question.Status,
            Epoch = Log.Epoch,
            AcceptedSeq = question.AcceptedSeq,
            DoneSeq = question.DoneSeq,
            Position = PositionOf(question),
            Attempt = question.Attempt,
            AskedAt = question.AskedAt,
            Deadline = deadline,
            DeadlineMs = deadline is { } at ? Milliseconds(at - now) : null,
            End = question.End,
        };
    }
}
