namespace OrleansSessions.Grains.Log;

/// <summary>What a call may do with the subscribed gateways of its session. Sending them events is not part of it: that follows from a change.</summary>
internal interface ISubscribedGateways
{
    /// <summary>True while the session sends its events to any socket gateway.</summary>
    bool HasAny { get; }

    /// <summary>Sockets attached, as far as the socket gateways have reported.</summary>
    int Connections { get; }

    /// <summary>Subscribes a socket gateway to what comes after the visible head. One that is subscribed keeps its place.</summary>
    void Subscribe(SessionLog log, string gateway);

    /// <summary>Takes a socket gateway's count of connections, unless a newer one has come before it. One that holds none is removed.</summary>
    void SetConnections(string gateway, int connections, long version);

    /// <summary>
    /// Announces to the live socket gateways that the session is awake and knows only its caller: to each of them once in the life of this activation, and to
    /// those that the silo learns of later when it does.
    /// </summary>
    void Announce(SessionLog log, string? caller);
}
