namespace OrleansSessions.Client;

/// <summary>The server refused a request, and the session is unchanged.</summary>
public sealed class SessionRefusedException : SessionException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="code">The error code of the protocol, for example <c>session_busy</c>.</param>
    /// <param name="message">The server's words, for people.</param>
    public SessionRefusedException(string code, string message) : base(code, message)
    {
    }

    /// <summary>True if the same request, unchanged, can succeed later.</summary>
    public bool IsRetryable { get; init; }

    /// <summary>How long to wait before that, or null if the server did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The question that was refused, or null if the refusal is not about one.</summary>
    public string? QuestionId { get; init; }

    /// <summary>The field that is not valid, or null.</summary>
    public string? Parameter { get; init; }

    /// <summary>With <c>session_busy</c>: the question that is being answered.</summary>
    public string? ActiveQuestionId { get; init; }

    /// <summary>With <c>session_busy</c>: for how long it has been answered.</summary>
    public TimeSpan? ActiveFor { get; init; }
}
