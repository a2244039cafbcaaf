using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>A client that sends and receives raw frames. Every wait has a deadline.</summary>
public sealed class TestSocket : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private TestSocket(ClientWebSocket socket) => Raw = socket;

    public ClientWebSocket Raw { get; }

    public static async Task<TestSocket> ConnectAsync(Uri address, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        await socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Deadline);
        return new TestSocket(socket);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public Task SendAsync(byte[] utf8, WebSocketMessageType type = WebSocketMessageType.Text, bool isEnd = true) =>
        Raw.SendAsync(utf8, type, isEnd, CancellationToken.None);

    /// <summary>Returns the next frame. If the socket closes instead, throws an error with the close code.</summary>
    public async Task<JsonElement> NextAsync() =>
        await ReceiveAsync() is { } frame ? frame : throw new InvalidOperationException($"Closed with {CloseCode}: {Raw.CloseStatusDescription}");

    /// <summary>Returns the next frame, which must have this type.</summary>
    public async Task<JsonElement> NextAsync(string type)
    {
        var frame = await NextAsync();
        return frame.GetProperty("type").GetString() == type ? frame : throw new InvalidOperationException($"Expected {type}, got {frame}");
    }

    /// <summary>Returns all frames up to and including the first one of this type.</summary>
    public async Task<List<JsonElement>> UntilAsync(string type)
    {
        var frames = new List<JsonElement>();
        do
        {
            frames.Add(await NextAsync());
        }
        while (frames[^1].GetProperty("type").GetString() != type);
        return frames;
    }

    /// <summary>Reads until the server closes, and returns the close code.</summary>
    public async Task<int> ClosedAsync()
    {
        while (await ReceiveAsync() is not null)
        {
        }

        return CloseCode;
    }

    public int CloseCode => (int)(Raw.CloseStatus ?? 0);

    public async ValueTask DisposeAsync()
    {
        if (Raw.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var patience = new CancellationTokenSource(Deadline);
            try
            {
                await Raw.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
            }
            catch (Exception fault) when (fault is WebSocketException or OperationCanceledException)
            {
                Raw.Abort();
            }
        }

        Raw.Dispose();
    }

    private async Task<JsonElement?> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(Deadline);
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await Raw.ReceiveAsync(buffer.AsMemory(), patience.Token);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return part.MessageType == WebSocketMessageType.Close ? null : JsonDocument.Parse(message.ToArray()).RootElement;
    }
}
