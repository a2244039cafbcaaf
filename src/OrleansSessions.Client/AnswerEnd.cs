using OrleansSessions.Protocol;

namespace OrleansSessions.Client;

/// <summary>How a question ended, with the whole text. A failed question is a value too: look at <see cref="Status"/>.</summary>
public sealed record AnswerEnd
{
    /// <summary>The question.</summary>
    public required string QuestionId { get; init; }

    /// <summary>
    /// <see cref="QuestionStatus.Completed"/>, <see cref="QuestionStatus.Incomplete"/>, <see cref="QuestionStatus.Cancelled"/>,
    /// <see cref="QuestionStatus.Failed"/> or <see cref="QuestionStatus.Timeout"/>.
    /// </summary>
    public required QuestionStatus Status { get; init; }

    /// <summary>The whole text. Without <see cref="QuestionStatus.Completed"/> it is what there was, and can be empty.</summary>
    public required string Text { get; init; }

    /// <summary>One of <see cref="DoneReasons"/>, or a responder's own reason; null if the answer is complete.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason in words, for people; null if there is none.</summary>
    public string? Message { get; init; }

    /// <summary>True if asking again can succeed.</summary>
    public bool IsRetryable { get; init; }

    /// <summary>How long to wait after the end before asking again can succeed; null if that is not known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>From the start of the question to its first text; null if there was no text.</summary>
    public TimeSpan? FirstTextAfter { get; init; }

    /// <summary>From the start of the question to its end.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>True if the answer is complete.</summary>
    public bool IsCompleted => Status == QuestionStatus.Completed;
}
