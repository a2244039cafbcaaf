using OrleansSessions.Responders.OpenAI.Failures;

namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>What one chunk of a response adds to the answer.</summary>
internal readonly record struct Chunk
{
    public Chunk()
    {
    }

    /// <summary>The text; empty if there is none, for example while a model thinks.</summary>
    public string Text { get; init; } = "";

    /// <summary>Why the model stopped, or null if it has not.</summary>
    public string? FinishReason { get; init; }

    /// <summary>True if it contains words with which the model declines to answer.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>The error that the upstream reports, or null.</summary>
    public UpstreamError? Error { get; init; }

    /// <summary>The usage so far, if this chunk says anything new about it; otherwise null.</summary>
    public AnswerUsage? Usage { get; init; }

    /// <summary>True if it is a part of a completion, as opposed to something else that a server sends in between.</summary>
    public bool IsOfCompletion { get; init; }

    /// <summary>True if it has a message instead of a delta, and does not call itself a chunk.</summary>
    public bool IsWhole { get; init; }

    /// <summary>True if nothing of the answer follows, whether or not there was a finish reason.</summary>
    public bool IsLast { get; init; }

    /// <summary>True if it has the usage and nothing else, after text. Most servers end with it, but some send it now and then.</summary>
    public bool IsUsageAlone { get; init; }
}
