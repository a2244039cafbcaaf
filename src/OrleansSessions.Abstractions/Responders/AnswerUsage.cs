namespace OrleansSessions.Responders;

/// <summary>The tokens that an answer has used, as its model counts them. A number that is not known is null.</summary>
/// <param name="Model">The model, by the name that the configuration has for it. It becomes a tag of the metrics, so it must have few values.</param>
public sealed record AnswerUsage(string Model)
{
    /// <summary>The tokens of all that the model was sent, cached ones included.</summary>
    public long? InputTokens { get; init; }

    /// <summary>The tokens that the model produced, those of its reasoning included.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>The part of <see cref="InputTokens"/> that came from a cache.</summary>
    public long? CachedInputTokens { get; init; }

    /// <summary>The part of <see cref="OutputTokens"/> that was spent on reasoning.</summary>
    public long? ReasoningTokens { get; init; }
}
