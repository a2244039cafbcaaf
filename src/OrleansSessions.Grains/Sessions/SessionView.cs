using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What callers may see of a session.</summary>
internal sealed class SessionView(Session session, QuestionQueue open, EndedQuestions ended, Deadlines deadlines)
{
    /// <summary>The open questions, running first, then waiting in order.</summary>
    public OpenQuestion[] OpenQuestions(DateTimeOffset now) =>
        open.Running is null && open.Waiting.Count == 0
            ? []
            : [.. open.All.Select(question => new OpenQuestion(question.Id, question.Status, Questions.Question.Milliseconds(now - question.AskedAt)))];

    /// <summary>The running question, or null.</summary>
    public QuestionDescription? Running(DateTimeOffset now) => open.Running is { } running ? Describe(running, now) : null;

    /// <summary>One question by its id, or null.</summary>
    public QuestionDescription? Question(string id, DateTimeOffset now) => (open.Find(id) ?? ended.Find(id)) is { } question ? Describe(question, now) : null;

    /// <summary>The last questions, oldest first, open ones included.</summary>
    public QuestionDescription[] Last(int limit, DateTimeOffset now) =>
        [.. ended.All.Concat(open.All).TakeLast(limit).Select(question => Describe(question, now))];

    public SessionDescription Whole(int connections, DateTimeOffset? expiresAt, DateTimeOffset now) => new()
    {
        Epoch = session.Log.Epoch,
        Seq = session.Log.VisibleHead,
        OldestSeq = session.OldestSeq,
        Connections = connections,
        Open = [.. open.All.Select(question => Describe(question, now))],
        ExpiresAt = expiresAt,
    };

    /// <summary>Reads on from a position, or says why that cannot be done without a hole.</summary>
    public LogPiece ReadLog(long epoch, long afterSeq, int maxBytes, DateTimeOffset now)
    {
        var log = session.Log;
        var outcome = epoch != log.Epoch ? (session.IsKnown ? LogReadOutcome.EpochChanged : LogReadOutcome.Expired)
            : log.Covers(afterSeq) ? LogReadOutcome.Recovered
            : LogReadOutcome.Trimmed;
        var isRecovered = outcome == LogReadOutcome.Recovered;
        var events = isRecovered ? log.Read(afterSeq, maxBytes) : [];
        var isAtHead = !isRecovered || afterSeq + events.Length == log.VisibleHead;
        return new()
        {
            Outcome = outcome,
            Epoch = log.Epoch,
            Head = log.VisibleHead,
            Events = events,
            IsAtHead = isAtHead,
            Open = isAtHead ? OpenQuestions(now) : [],
            Snapshot = isRecovered ? null : RunningOrLast(now),
        };
    }

    public QuestionDescription Describe(Question question, DateTimeOffset now)
    {
        var deadline = deadlines.Of(question);
        return new()
        {
            QuestionId = question.Id,
            Question = question.Text,
            Text = question.Answer,
            Deltas = question.Deltas,
            Bytes = question.Bytes,
            Status = question.Status,
            Epoch = session.Log.Epoch,
            AcceptedSeq = session.Log.SeqOf(question, question.AcceptedSeq),
            DoneSeq = question.IsFinal ? session.Log.SeqOf(question, question.DoneSeq) : 0,
            Position = open.PositionOf(question),
            Attempt = question.Attempt,
            AskedAt = question.AskedAt,
            Deadline = deadline,
            DeadlineMs = deadline is { } at ? Questions.Question.Milliseconds(at - now) : null,
            End = question.End,
        };
    }

    private QuestionDescription? RunningOrLast(DateTimeOffset now) => (open.Running ?? ended.Last) is { } question ? Describe(question, now) : null;
}
