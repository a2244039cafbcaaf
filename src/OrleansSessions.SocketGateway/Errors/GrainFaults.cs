using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Errors;

/// <summary>
/// Turns a failed grain call into one error for the client and one line in the log, for sockets and HTTP. Neither contains the exception's message,
/// because it can contain foreign text, for example a question or a key.
/// </summary>
internal sealed partial class GrainFaults(IOptions<SocketGatewayOptions> options, StoreReports store, ILogger<GrainFaults> logger)
{
    /// <param name="notDone">The beginning of a sentence, for example <c>The question could not be asked</c>.</param>
    /// <param name="questionId">The question that the call was about, or null.</param>
    /// <returns>The error to send. It is retryable: every call can be repeated, an ask with the same id.</returns>
    public ErrorMessage Report(Exception fault, string notDone, string sessionId, string? questionId)
    {
        var retryAfterMs = (long)options.Value.RetryAfter.TotalMilliseconds;
        if (store.IsOutage(fault))
        {
            LogMessages.StoreAway(logger, sessionId, questionId, notDone);
            return Refusals.StoreUnavailable(notDone, questionId, retryAfterMs);
        }

        LogMessages.CallFailed(logger, sessionId, questionId, notDone, LoggedException.Of(fault).Message);
        LogMessages.CallFailedAt(logger, sessionId, fault.StackTrace);
        return new(WireErrors.Internal, $"{notDone}: {Reason(fault)}.", questionId, RetryAfterMs: retryAfterMs);
    }

    /// <inheritdoc cref="StoreReports.IsOutage"/>
    public bool IsOutage(Exception fault) => store.IsOutage(fault);

    /// <summary>True if the call did not reach the session, for example because its silo is lost and no other has taken over.</summary>
    public static bool IsUnreachable(Exception fault) => fault is OrleansException and not InconsistentStateException;

    private static string Reason(Exception fault) => fault switch
    {
        TimeoutException => "the session did not answer in time",
        OperationCanceledException => "the call was cancelled",
        InconsistentStateException => "the stored session was changed by another process",
        _ when IsUnreachable(fault) => "the session could not be reached",
        _ => "the session failed",
    };

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {Session}, question {Question}: {NotDone} ({Fault}).")]
        public static partial void CallFailed(ILogger logger, string session, string? question, string notDone, string fault);

        [LoggerMessage(2, LogLevel.Debug, "Session {Session}: the call failed at {Stack}")]
        public static partial void CallFailedAt(ILogger logger, string session, string? stack);

        [LoggerMessage(3, LogLevel.Debug, "Session {Session}, question {Question}: {NotDone}, because the store is away.")]
        public static partial void StoreAway(ILogger logger, string session, string? question, string notDone);
    }
}
