namespace OrleansSessions.Responders;

/// <summary>The question and its context, as passed to a responder.</summary>
public sealed class ResponderContext
{
    /// <summary>The session's key: <c>{scope}/{session}</c>.</summary>
    public required string SessionKey { get; init; }

    /// <summary>Whose session it is, see <see cref="Sessions.SessionScope"/>; empty for callers without an identity.</summary>
    public string Scope => SessionKey[..SessionKey.IndexOf('/')];

    /// <summary>The id that the client chose for the session. It is unique only within its <see cref="Scope"/>.</summary>
    public string SessionId => SessionKey[(SessionKey.IndexOf('/') + 1)..];

    public required string QuestionId { get; init; }

    public required string Question { get; init; }

    /// <summary>Earlier questions of this session with their answers, oldest first. Limited in number and bytes. None of the answers is empty.</summary>
    public IReadOnlyList<AnsweredQuestion> History { get; init; } = [];

    /// <summary>The question's <c>metadata</c>, a JSON object as text, or null.</summary>
    public string? MetadataJson { get; init; }

    /// <summary>
    /// The question's <c>options</c>, a JSON object as text, or null. <see cref="IResponder.CheckOptions"/> has accepted it when the question was asked. A stored
    /// question can run after a restart, with another configuration.
    /// </summary>
    public string? OptionsJson { get; init; }

    /// <summary>The number of this attempt at the question, starting at 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>
    /// The text of earlier attempts that is kept: the answer continues after it. Empty at the first attempt, and unless the responder declares
    /// <see cref="RecoveryMode.Continue"/>.
    /// </summary>
    public string AnswerSoFar { get; init; } = "";

    /// <summary>Who asked, as the caller's issuer names them, or null if that is not known.</summary>
    public string? User { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the request that asked, or null.</summary>
    public string? TraceParent { get; init; }
}

/// <summary>An earlier question and the text that its client received.</summary>
public sealed record AnsweredQuestion(string Question, string Answer);
