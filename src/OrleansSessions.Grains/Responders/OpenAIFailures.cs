using System.ClientModel;
using OrleansSessions.Protocol;

namespace OrleansSessions.Grains.Responders;

/// <summary>What each failure of an OpenAI-compatible upstream means to the client. Messages never repeat what the upstream said: it may hold keys.</summary>
internal static class OpenAIFailures
{
    public static ResponderException Cut(Exception? inner = null) =>
        new(DoneReasons.ResponderCut, "The upstream stopped before it had finished.", isRetryable: true, inner);

    public static ResponderException Refused() =>
        new(DoneReasons.ResponderRefused, "The model declined to answer.", isRetryable: false);

    /// <param name="hasStarted">True once the upstream has sent a first piece: what breaks from there on is a cut.</param>
    public static ResponderException From(Exception exception, bool hasStarted) => exception switch
    {
        ClientResultException { Status: > 0 } answered => FromStatus(answered),
        _ when IsConnectionFailure(exception) => hasStarted ? Cut(exception) : Unreachable(exception),
        _ => new(DoneReasons.ResponderError, "The upstream sent something that is not a chat completion.", isRetryable: false, exception),
    };

    private static ResponderException Unreachable(Exception inner) =>
        new(DoneReasons.ResponderUnavailable, "The upstream cannot be reached, or closed the connection before it answered.", isRetryable: true, inner);

    private static ResponderException FromStatus(ClientResultException exception)
    {
        var message = $"The upstream answered with HTTP status {exception.Status}.";
        return exception.Status switch
        {
            408 or 429 or 502 or 503 or 504 => new(DoneReasons.ResponderUnavailable, message, isRetryable: true, exception),
            >= 500 => new(DoneReasons.ResponderError, message, isRetryable: true, exception),
            _ => new(DoneReasons.ResponderError, message, isRetryable: false, exception),
        };
    }

    /// <summary>The library wraps, so the cause may be deep. A cancellation that is not the caller's is a connection that took too long.</summary>
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
