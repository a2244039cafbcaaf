namespace OrleansSessions.Responders;

/// <summary>Ends a question as <c>failed</c> with a reason that its client is told.</summary>
/// <param name="reason">One of <see cref="Protocol.DoneReasons"/>.</param>
/// <param name="message">For people. It is sent to the client, so it must hold no secret. It is not logged, except in Development.</param>
/// <param name="isRetryable">True if asking again can help.</param>
public sealed class ResponderException(string reason, string message, bool isRetryable, Exception? inner = null) : Exception(message, inner)
{
    public string Reason { get; } = reason;

    public bool IsRetryable { get; } = isRetryable;

    /// <summary>True where the message holds nothing that came from a user or from an upstream, so that it may be logged everywhere.</summary>
    public bool IsSafeToLog { get; init; }
}
