using OrleansSessions.Protocol;

namespace OrleansSessions.Client;

/// <summary>A question as the server has it, with its answer so far.</summary>
public sealed record StoredQuestion
{
    /// <summary>The question's id.</summary>
    public required string Id { get; init; }

    /// <summary>The question's text.</summary>
    public required string Question { get; init; }

    /// <summary>The state of the question. <see cref="QuestionStatuses.IsFinal"/> says whether it has ended.</summary>
    public required QuestionStatus Status { get; init; }

    /// <summary>The text of the answer so far.</summary>
    public required string Text { get; init; }

    /// <summary>How the question ended; null while it is open.</summary>
    public AnswerEnd? End { get; init; }

    /// <summary>When it was asked.</summary>
    public DateTimeOffset AskedAt { get; init; }

    /// <summary>Where the answer is. <see cref="SessionClient.ResumeAsync"/> goes on from there.</summary>
    public required AnswerPosition Position { get; init; }
}
