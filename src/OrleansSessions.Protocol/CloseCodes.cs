namespace OrleansSessions.Protocol;

/// <summary>WebSocket close codes. 4000-4099 mean that the client can reconnect, 4100-4199 that it must stop.</summary>
public static class CloseCodes
{
    public const int Normal = 1000;
    public const int GoingAway = 1001;
    public const int ProtocolError = 1002;
    public const int UnsupportedData = 1003;
    public const int InvalidPayload = 1007;
    public const int PolicyViolation = 1008;
    public const int MessageTooBig = 1009;
    public const int InternalError = 1011;

    /// <summary>
    /// The process ends because its cluster no longer lists it as a member; a basic socket also before its process stops, or at its maximum age. The client can
    /// reconnect.
    /// </summary>
    public const int ServiceRestart = 1012;

    /// <summary>The socket gateway is shutting down. The client can reconnect, to another one.</summary>
    public const int Draining = 4001;

    /// <summary>The client did not read what was sent to it.</summary>
    public const int SlowConsumer = 4002;

    /// <summary>Nothing was received from the client for twice the heartbeat interval.</summary>
    public const int MissedHeartbeat = 4003;

    /// <summary>The socket is as old as sockets may be. The client can reconnect.</summary>
    public const int MaxAge = 4004;

    /// <summary>The token of the socket has expired. The client can reconnect with a fresh one.</summary>
    public const int TokenExpired = 4005;

    /// <summary>Too many errors in a short time.</summary>
    public const int RateLimited = 4008;

    /// <summary>This process, or the caller, has reached its maximum number of sockets.</summary>
    public const int ConnectionLimit = 4029;

    /// <summary>The client keeps sending messages that the protocol does not have.</summary>
    public const int BadProtocol = 4100;

    /// <summary>The request had no valid token. Sent only while a socket opens.</summary>
    public const int Unauthorized = 4101;

    /// <summary>The caller may not open this socket. Sent only while a socket opens.</summary>
    public const int Forbidden = 4103;

    /// <summary>The session was removed.</summary>
    public const int SessionRemoved = 4104;

    /// <summary>None of the offered subprotocols is known.</summary>
    public const int UnsupportedProtocol = 4126;
}
