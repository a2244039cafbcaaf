namespace OrleansSessions.Client.ChatClient;

/// <summary>How a <see cref="SessionChatClient"/> waits, and how long it keeps connections. It is read when the client is created.</summary>
public sealed class SessionChatClientOptions
{
    /// <summary>
    /// How long a call waits for a connection and for the server to accept its question, more than 0. Default 30 seconds. The time until the answer is
    /// limited by the server.
    /// </summary>
    public TimeSpan AcceptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a call that is cancelled waits for the server to take the cancel, at least 0. Default 5 seconds. Without a connection it does not wait. The
    /// cancel itself is not given up then: it is sent when the connection is back, within the longer one of this time and <see cref="IdleTimeout"/>.
    /// </summary>
    public TimeSpan CancelTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the connection of a session that no call uses is kept, at least 0. Default 2 minutes.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The maximum number of connections that are kept while no call uses them, at least 0. Default 100. Above it, the one that was unused for the longest time
    /// is closed. A call always gets a connection.
    /// </summary>
    public int MaxIdleConnections { get; set; } = 100;

    /// <summary>
    /// All timers of the chat client. Default <see cref="TimeProvider.System"/>. Those of the connections are in <see cref="SessionClientOptions"/>.
    /// </summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(AcceptTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(CancelTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(IdleTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxIdleConnections);
        ArgumentNullException.ThrowIfNull(TimeProvider);
    }
}
