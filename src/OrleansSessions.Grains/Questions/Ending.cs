using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Questions;

/// <summary>How a question is to end.</summary>
/// <param name="Reason">One of <see cref="DoneReasons"/>, or a responder's own; null where the whole answer is there.</param>
/// <param name="Message">The reason in words, for people.</param>
/// <param name="IsRetryable">True if asking again may help.</param>
/// <param name="RetryAfter">How long to wait before that, or null where it is not known.</param>
internal sealed record Ending(
    QuestionStatus Status, string? Reason = null, string? Message = null, bool IsRetryable = false, TimeSpan? RetryAfter = null)
{
    public static readonly Ending Completed = new(QuestionStatus.Completed);

    public static readonly Ending CancelledByClient = new(QuestionStatus.Cancelled, DoneReasons.ByClient, "A client cancelled the question.");

    public static readonly Ending Replaced = new(QuestionStatus.Cancelled, DoneReasons.Replaced, "Another question took its place.");

    public static readonly Ending SessionRemoved = new(QuestionStatus.Cancelled, DoneReasons.SessionRemoved, "The session was removed.");

    /// <summary>The activation that ran the responder is gone.</summary>
    public static readonly Ending ResponderLost = Failed(DoneReasons.ResponderLost, "The process that was answering is gone. Ask again.");

    /// <summary>The silo is evicted.</summary>
    public static readonly Ending SiloEvicted = Failed(DoneReasons.ResponderLost, "The process that was answering has left its cluster. Ask again.");

    public static Ending Failed(string reason, string message, bool isRetryable = true, TimeSpan? retryAfter = null) =>
        new(QuestionStatus.Failed, reason, message, isRetryable, retryAfter);

    public static Ending TimedOut(string reason, string message) => new(QuestionStatus.Timeout, reason, message, IsRetryable: true);

    public static Ending Incomplete(string reason, string message) => new(QuestionStatus.Incomplete, reason, message);
}
