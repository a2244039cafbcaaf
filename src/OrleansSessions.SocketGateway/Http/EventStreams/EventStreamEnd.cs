using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>How the end of an event stream is told, because an event stream has no close code.</summary>
internal static class EventStreamEnd
{
    /// <summary>The id of the last event of a removed session. An <c>EventSource</c> sends it when it comes back, and is then told to stop.</summary>
    public const string RemovedId = "removed";

    /// <summary>The error that stands for a close code, or null where the end needs no reason.</summary>
    public static ErrorMessage? ErrorOf(int code, long retryAfterMs) => code switch
    {
        CloseCodes.Draining or CloseCodes.ServiceRestart => Refusals.GoingDown(retryAfterMs),
        CloseCodes.SessionRemoved => Refusals.SessionRemoved(),
        CloseCodes.InternalError => new(WireErrors.Internal, "Something failed here.", RetryAfterMs: retryAfterMs),
        _ => null,
    };
}
