namespace OrleansSessions.Client;

/// <summary>Whether a <see cref="SessionClient"/> has a connection.</summary>
public enum SessionState
{
    /// <summary>There was no connection yet.</summary>
    Connecting = 0,

    /// <summary>Questions and answers are exchanged.</summary>
    Live = 1,

    /// <summary>The connection was lost, and the client tries to get another one. Open answers wait.</summary>
    Reconnecting = 2,

    /// <summary>The client does not connect again. <see cref="SessionClient.Stopped"/> has the reason.</summary>
    Stopped = 3,
}
