namespace OrleansSessions.Responders;

/// <summary>What a responder is told about a question.</summary>
public sealed class ResponderContext
{
    /// <summary>The session's key: <c>{tenant}/{session}</c>.</summary>
    public required string SessionKey { get; init; }

    public required string QuestionId { get; init; }

    public required string Question { get; init; }

    /// <summary>Earlier questions of this session with their answers, oldest first; bounded in number and bytes.</summary>
    public IReadOnlyList<AnsweredQuestion> History { get; init; } = [];

    /// <summary>The question's <c>metadata</c>, a JSON object as text, or null.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>Which attempt at this question this is, from 1.</summary>
    public int Attempt { get; init; } = 1;
}

/// <summary>An earlier question and the text its client saw.</summary>
public sealed record AnsweredQuestion(string Question, string Answer);
