namespace OrleansSessions.Responders;

/// <summary>Ends a question as <c>failed</c> with a reason that is sent to the client.</summary>
/// <param name="reason">One of <see cref="Protocol.DoneReasons"/>.</param>
/// <param name="message">A text for people. It is sent to the client, so it must not contain secrets. It is logged only in Development.</param>
/// <param name="isRetryable">True if asking again can succeed.</param>
public sealed class ResponderException(string reason, string message, bool isRetryable, Exception? inner = null) : Exception(message, inner)
{
    public string Reason { get; } = reason;

    public bool IsRetryable { get; } = isRetryable;

    /// <summary>How long to wait before asking again can succeed, if the responder knows; otherwise null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>True if the message contains nothing from a user or an upstream, so that it can be logged in every environment.</summary>
    public bool IsSafeToLog { get; init; }
}
