using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>Sends frames to one client, over a WebSocket or an event stream. <see cref="FrameWriter"/> makes one call at a time.</summary>
internal interface ITransport
{
    /// <summary>
    /// How long the transport may stay after the delay of a <c>reconnect</c>, so that the client's next connection is live before. Zero: it ends after the delay,
    /// and <c>reconnect</c> is its last message. Null: it has an end of its own, and stays until then.
    /// </summary>
    TimeSpan? Grace { get; }

    /// <summary>Sends one message. Completes when the transport accepts the next one. Throws if the client can no longer be reached.</summary>
    /// <param name="buffer">A buffer for the frame. It belongs to the transport until the call completes.</param>
    ValueTask SendAsync(ServerMessage message, FrameBuffer buffer);

    /// <summary>Ends the stream of frames in the way of the transport. No frame follows.</summary>
    Task CloseAsync(int code, string reason);

    /// <summary>Aborts the connection. Safe to call at any time, also twice.</summary>
    void Abort();

    /// <summary>Checks the time limits of the transport, about once per second. Calls do not overlap.</summary>
    void OnTick(long now);
}
