namespace OrleansSessions.Client;

/// <summary>Why a session client stopped. The list is closed.</summary>
public enum SessionStopReason
{
    /// <summary>The caller closed it.</summary>
    Closed = 0,

    /// <summary>The server refuses this caller or this request, and would refuse the next attempt too.</summary>
    Refused = 1,

    /// <summary>The token has expired, and the token function has no other one.</summary>
    TokenExpired = 2,

    /// <summary>The session was removed.</summary>
    SessionRemoved = 3,

    /// <summary>This client and the server do not understand each other.</summary>
    Protocol = 4,

    /// <summary>The server ended the connection for good, without one of the other reasons.</summary>
    Ended = 5,
}
