namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>How an answer must end. The default is completed.</summary>
internal sealed record QuirkOutcome
{
    /// <summary>The whole text, or null if the steps say it.</summary>
    public string? Text { get; init; }

    /// <summary>The reason if the answer is incomplete, otherwise null.</summary>
    public string? IncompleteReason { get; init; }

    /// <summary>The reasons of which the failure must have one; empty if it must not fail.</summary>
    public IReadOnlyList<string> FailureReasons { get; init; } = [];

    /// <summary>Whether the failure is retryable, or null if both are right.</summary>
    public bool? IsRetryable { get; init; }

    /// <summary>A word that the failure's message must contain, or null.</summary>
    public string? MessageWord { get; init; }

    /// <summary>What must be true for the failure's <c>RetryAfter</c>, or null.</summary>
    public Func<TimeSpan?, bool>? RetryAfter { get; init; }
}
