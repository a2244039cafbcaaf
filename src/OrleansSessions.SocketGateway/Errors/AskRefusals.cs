using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Errors;

/// <summary>The errors for questions that a session did not accept, for sockets and HTTP.</summary>
internal static class AskRefusals
{
    /// <param name="retryAfterMs">The wait in milliseconds to advise, if asking again can succeed.</param>
    public static ErrorMessage Of(AskReply reply, long retryAfterMs) => reply.Outcome switch
    {
        AskOutcome.Busy => Busy(WireErrors.SessionBusy, WireErrors.BusyMessage, reply, retryAfterMs),
        AskOutcome.QueueFull => Busy(WireErrors.QueueFull, "The session's queue is full.", reply, retryAfterMs),
        AskOutcome.Conflict => new(WireErrors.QuestionConflict, "The id was used with another text.", reply.QuestionId),
        AskOutcome.TooLarge => new(WireErrors.QuestionTooLarge, "The question exceeds the limit of the session.", reply.QuestionId, "question"),
        AskOutcome.Empty => Refusals.EmptyQuestion(reply.QuestionId),
        AskOutcome.BadOptions => Refusals.BadOption(reply.QuestionId, reply.FaultyOption, reply.FaultMessage),
        AskOutcome.QuotaExceeded => new(
            WireErrors.QuotaExceeded, reply.FaultMessage ?? "The caller has as many open questions or sessions as it may have.", reply.QuestionId,
            RetryAfterMs: retryAfterMs),
        _ => Refusals.UnknownOutcome(reply.QuestionId, retryAfterMs),
    };

    private static ErrorMessage Busy(WireError error, string message, AskReply reply, long retryAfterMs) =>
        new(error, message, reply.QuestionId, RetryAfterMs: retryAfterMs)
        {
            ActiveQuestionId = reply.ActiveQuestionId,
            ActiveForMs = reply.ActiveQuestionId is null ? null : reply.ActiveForMs,
        };
}
