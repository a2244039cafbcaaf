using System.Net.WebSockets;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>A client's WebSocket with one buffer for all that it ever receives.</summary>
internal sealed class FrameSocket(Uri address) : IDisposable
{
    private const int FirstBufferBytes = 4096;

    // One handler for all sockets: a handler each would cost the load generator more than the sockets themselves.
    private static readonly HttpMessageInvoker Connector = new(new SocketsHttpHandler { UseProxy = false });

    private readonly ClientWebSocket _socket = CreateSocket();
    private byte[] _buffer = new byte[FirstBufferBytes];

    public Task ConnectAsync(CancellationToken cancellationToken) => _socket.ConnectAsync(address, Connector, cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> frame) =>
        _socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>The next whole message; valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync()
    {
        var length = 0;
        while (true)
        {
            var part = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                throw new WrongAnswerException($"{address} closed the socket: {_socket.CloseStatus} {_socket.CloseStatusDescription}");
            }

            if (part.EndOfMessage)
            {
                return _buffer.AsMemory(0, length);
            }

            if (length == _buffer.Length)
            {
                Array.Resize(ref _buffer, length * 2);
            }
        }
    }

    /// <summary>Says goodbye where the socket is still whole; what the server answers is not waited for.</summary>
    public async Task CloseAsync()
    {
        if (_socket.State == WebSocketState.Open)
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static ClientWebSocket CreateSocket()
    {
        var socket = new ClientWebSocket();
        // Nothing but questions may wake the server.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        return socket;
    }
}
