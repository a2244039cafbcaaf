using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Http.EventStreams;

/// <summary>Tells a client how an event stream ended, because a stream has no close code.</summary>
internal static class EventStreamEnd
{
    /// <summary>
    /// The id of the last event of a removed session. An <c>EventSource</c> sends it when it reconnects, and then gets 204, at which it stops.
    /// </summary>
    public const string RemovedId = "removed";

    /// <summary>The last message for a close code, or null if the end needs no reason.</summary>
    public static ServerMessage? MessageOf(int code, long retryAfterMs) => code switch
    {
        CloseCodes.Draining => new ReconnectMessage(DepartureReason.Draining.Name, 0),
        CloseCodes.MaxAge => new ReconnectMessage(DepartureReason.MaxAge.Name, 0),
        CloseCodes.ServiceRestart => Refusals.GoingDown(retryAfterMs),
        CloseCodes.TokenExpired => Refusals.TokenExpired(),
        CloseCodes.SessionRemoved => Refusals.SessionRemoved(),
        CloseCodes.InternalError => new ErrorMessage(WireErrors.Internal, "The server failed.", RetryAfterMs: retryAfterMs),
        _ => null,
    };
}
