using System.Net.WebSockets;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>A client's WebSocket with a single receive buffer.</summary>
internal sealed class FrameSocket(Uri address, string? token = null) : IDisposable
{
    private const int FirstBufferBytes = 4096;

    // One handler for all sockets. A separate handler for each would cost the load generator more than the sockets themselves.
    private static readonly HttpMessageInvoker Connector = new(new SocketsHttpHandler { UseProxy = false });

    private readonly ClientWebSocket _socket = CreateSocket(token);
    private byte[] _buffer = new byte[FirstBufferBytes];

    public Task ConnectAsync(CancellationToken cancellationToken) => _socket.ConnectAsync(address, Connector, cancellationToken);

    public ValueTask SendAsync(ReadOnlyMemory<byte> frame) =>
        _socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>Returns the next complete message. It is valid until the next call.</summary>
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

    /// <summary>Sends a close frame if the socket is still open. It does not wait for the server's answer.</summary>
    public async Task CloseAsync()
    {
        if (_socket.State == WebSocketState.Open)
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static ClientWebSocket CreateSocket(string? token)
    {
        var socket = new ClientWebSocket();
        // Only questions must wake the server.
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        if (token is not null)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        return socket;
    }
}
