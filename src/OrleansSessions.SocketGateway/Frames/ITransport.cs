using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Frames;

/// <summary>Moves frames to one client, over a WebSocket or an event stream. <see cref="FrameWriter"/> makes one call at a time.</summary>
internal interface ITransport
{
    /// <summary>Sends one message. Completes once the transport takes the next one; throws if the client cannot be reached any more.</summary>
    /// <param name="buffer">A buffer to write the frame into. It belongs to the transport until the call completes.</param>
    ValueTask SendAsync(ServerMessage message, FrameBuffer buffer);

    /// <summary>Ends the stream of frames in the transport's own way. No other frame follows.</summary>
    Task CloseAsync(int code, string reason);

    /// <summary>Cuts the connection. Safe to call at any time and twice.</summary>
    void Abort();

    /// <summary>Checks the transport's own time limits, about once a second and never at the same time as itself.</summary>
    void OnTick(long now);
}
