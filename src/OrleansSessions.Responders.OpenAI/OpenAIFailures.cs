using System.ClientModel;
using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>
/// Maps each failure of an OpenAI-compatible upstream to its meaning for the client. Nothing here repeats text from the upstream, not even
/// the message of a cause, because that text contains the question and can contain the key.
/// </summary>
internal static class OpenAIFailures
{
    public static ResponderException Cut(Exception? inner = null) =>
        Create(DoneReasons.ResponderCut, "The upstream stopped before the answer was complete.", isRetryable: true, inner);

    public static ResponderException Refused() =>
        Create(DoneReasons.ResponderRefused, "The model declined to answer.", isRetryable: false, inner: null);

    /// <param name="hasStarted">True if the upstream has sent a first piece. A connection failure after that is a cut.</param>
    public static ResponderException From(Exception exception, bool hasStarted) => exception switch
    {
        ClientResultException { Status: > 0 } answered => FromStatus(answered),
        _ when IsConnectionFailure(exception) => hasStarted ? Cut(exception) : Unreachable(exception),
        _ => Create(DoneReasons.ResponderError, "The upstream sent something that is not a chat completion.", isRetryable: false, exception),
    };

    private static ResponderException Unreachable(Exception inner) =>
        Create(DoneReasons.ResponderUnavailable, "The upstream cannot be reached, or closed the connection before it answered.", isRetryable: true, inner);

    private static ResponderException FromStatus(ClientResultException exception)
    {
        var message = $"The upstream answered with HTTP status {exception.Status}.";
        return exception.Status switch
        {
            408 or 429 or 502 or 503 or 504 => Create(DoneReasons.ResponderUnavailable, message, isRetryable: true, exception),
            >= 500 => Create(DoneReasons.ResponderError, message, isRetryable: true, exception),
            _ => Create(DoneReasons.ResponderError, message, isRetryable: false, exception),
        };
    }

    private static ResponderException Create(string reason, string message, bool isRetryable, Exception? inner) =>
        new(reason, message, isRetryable, inner is null ? null : LoggedException.Of(inner)) { IsSafeToLog = true };

    /// <summary>
    /// The library wraps exceptions, so the cause can be several levels deep. A cancellation that the caller did not request means that the
    /// connection took too long.
    /// </summary>
    private static bool IsConnectionFailure(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is HttpRequestException or IOException or OperationCanceledException or TimeoutException)
            {
                return true;
            }
        }

        return false;
    }
}
