using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>Answers an open question from outside: whole, or with one piece of the answer.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AnswerRequest")]
public sealed record AnswerRequest : SessionRequest
{
    /// <summary>Null: the running question.</summary>
    [Id(0)]
    public string? QuestionId { get; init; }

    /// <summary>Which attempt this answers, as the session's description reports it; null: whichever runs.</summary>
    [Id(1)]
    public int? Attempt { get; init; }

    /// <summary>
    /// How many UTF-8 bytes of answer came before this piece. Null: <see cref="Text"/> is the whole answer. It then begins with the text so far, and ends the question.
    /// </summary>
    [Id(2)]
    public long? Offset { get; init; }

    /// <summary>The piece, or the whole answer.</summary>
    [Id(3)]
    public required string Text { get; init; }

    /// <summary>True for the last piece.</summary>
    [Id(4)]
    public bool IsFinal { get; init; }

    /// <summary>Not null ends the question as failed.</summary>
    [Id(5)]
    public string? ErrorCode { get; init; }

    /// <summary>What went wrong, for people; null for none.</summary>
    [Id(6)]
    public string? ErrorMessage { get; init; }

    /// <summary>Without the texts: Orleans writes requests to its log.</summary>
    public override string ToString() => $"{nameof(AnswerRequest)} {QuestionId} at {Offset}";
}

/// <summary>What became of an answer from outside.</summary>
public enum AnswerOutcome
{
    /// <summary>Taken, now or by an earlier call with the same piece.</summary>
    Taken = 0,

    /// <summary>No question is open that waits for an answer from outside.</summary>
    NoOpenQuestion = 1,

    /// <summary>No question has that id.</summary>
    NotFound = 2,

    /// <summary>The question has ended.</summary>
    AlreadyDone = 3,

    /// <summary>A newer attempt answers it.</summary>
    StaleAttempt = 4,

    /// <summary>The piece does not begin where the answer ends, or the whole answer does not begin with the text so far.</summary>
    OffsetMismatch = 5,
}

/// <summary>Whether an answer from outside was taken, and if not, why.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AnswerReply")]
public sealed record AnswerReply
{
    [Id(0)]
    public AnswerOutcome Outcome { get; init; }

    /// <summary>The question that was meant; null where none was named and none is running.</summary>
    [Id(1)]
    public string? QuestionId { get; init; }

    /// <summary>UTF-8 bytes of answer taken so far: where the next piece begins.</summary>
    [Id(2)]
    public long Offset { get; init; }

    /// <summary>True if it was taken while a socket was attached to see it.</summary>
    [Id(3)]
    public bool IsDelivered { get; init; }

    /// <summary>For a question that has ended, now or before: how.</summary>
    [Id(4)]
    public QuestionStatus? Status { get; init; }
}
