namespace OrleansSessions.Grains.Responders;

/// <summary>Ends a question as <c>failed</c> with a reason that its client is told.</summary>
/// <param name="reason">One of <see cref="Protocol.DoneReasons"/>.</param>
/// <param name="message">For people; it travels to the client, so it must hold no secret.</param>
/// <param name="isRetryable">True if asking again can help.</param>
public sealed class ResponderException(string reason, string message, bool isRetryable, Exception? inner = null) : Exception(message, inner)
{
    public string Reason { get; } = reason;

    public bool IsRetryable { get; } = isRetryable;
}
