namespace OrleansSessions.Responders;

/// <summary>The question and its context, as passed to a responder.</summary>
public sealed class ResponderContext
{
    /// <summary>The session's key: <c>{tenant}/{session}</c>.</summary>
    public required string SessionKey { get; init; }

    public required string QuestionId { get; init; }

    public required string Question { get; init; }

    /// <summary>Earlier questions of this session with their answers, oldest first. Limited in number and bytes.</summary>
    public IReadOnlyList<AnsweredQuestion> History { get; init; } = [];

    /// <summary>The question's <c>metadata</c>, a JSON object as text, or null.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>The number of this attempt at the question, starting at 1.</summary>
    public int Attempt { get; init; } = 1;
}

/// <summary>An earlier question and the text that its client received.</summary>
public sealed record AnsweredQuestion(string Question, string Answer);
