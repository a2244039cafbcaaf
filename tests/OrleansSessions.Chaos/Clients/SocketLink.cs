using System.Net.WebSockets;
using System.Text;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Chaos.Transcripts;

namespace OrleansSessions.Chaos.Clients;

/// <summary>One WebSocket of a client. All that passes is written to the transcript.</summary>
internal sealed class SocketLink : IAsyncDisposable
{
    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SendPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly Transcript _transcript;
    private readonly RunParts _parts;
    private Task<int?> _reading = Task.FromResult<int?>(null);

    public SocketLink(RunParts parts, Transcript transcript, int number, int node)
    {
        (_parts, _transcript, Number, Node) = (parts, transcript, number, node);
        OpenedAt = LastFrameAt = parts.Clock.Now;
        _socket.Options.KeepAliveInterval = TimeSpan.Zero;
        _socket.Options.CollectHttpResponseDetails = true;
        _socket.Options.SetRequestHeader(ProxyLink.NameHeader, ClientBoard.LinkName(transcript.Client, number));
    }

    public int Number { get; }

    public int Node { get; }

    public TimeSpan OpenedAt { get; }

    public TimeSpan LastFrameAt { get; private set; }

    /// <summary>Completes when the socket has ended, with the close code if there was one.</summary>
    public Task<int?> Ended => _reading;

    /// <summary>Opens the socket. Returns false if that failed; the transcript says why.</summary>
    /// <param name="onFrame">Gets each frame, one after another.</param>
    public async Task<bool> OpenAsync(string path, Func<SocketLink, string, Task> onFrame)
    {
        Record(EntryKind.Opened, path);
        Record(EntryKind.Note, $"on node {Node}");
        try
        {
            using var patience = new CancellationTokenSource(OpenPatience, TimeProvider.System);
            await _socket.ConnectAsync(_parts.Address(Node, path, isSocket: true), patience.Token);
        }
        catch (Exception fault) when (fault is WebSocketException or OperationCanceledException)
        {
            var status = (int)_socket.HttpStatusCode;
            _parts.Counts.Add(Results.CountNames.Refused + (status == 0 ? "no_connection" : $"upgrade_{status}"));
            Record(EntryKind.Closed, status == 0 ? "not connected" : $"refused with {status}");
            return false;
        }

        _parts.Counts.Add(Results.CountNames.Sockets);
        _reading = ReadAsync(onFrame);
        return true;
    }

    /// <summary>Sends a frame. If the socket breaks meanwhile, nothing more happens: its end is seen elsewhere.</summary>
    public async Task SendAsync(string json)
    {
        Record(EntryKind.Sent, json);
        using var patience = new CancellationTokenSource(SendPatience, TimeProvider.System);
        try
        {
            await _sending.WaitAsync(patience.Token);
            try
            {
                await _socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, patience.Token);
            }
            finally
            {
                _sending.Release();
            }
        }
        catch (Exception end) when (end is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            _socket.Abort();
        }
    }

    /// <summary>Closes with 1000 and waits a moment for the answer.</summary>
    public async Task CloseAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(ClosePatience, TimeProvider.System);
            Record(EntryKind.Sent, "close 1000");
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
            await _reading.WaitAsync(ClosePatience, TimeProvider.System);
        }
        catch (Exception end) when (end is WebSocketException or OperationCanceledException or ObjectDisposedException or TimeoutException)
        {
            _socket.Abort();
        }
    }

    public void Abort()
    {
        Record(EntryKind.Sent, "abort");
        _socket.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private void Record(EntryKind kind, string text) => _transcript.Add(_parts.Clock.Now, Number, kind, text);

    private async Task<int?> ReadAsync(Func<SocketLink, string, Task> onFrame)
    {
        // Not in the turn of the one who opens the socket: a frame can be there before that one knows the link.
        await Task.Yield();
        var buffer = new byte[8 * 1024];
        try
        {
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                    message.Write(buffer, 0, part.Count);
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return await AnswerCloseAsync();
                }

                LastFrameAt = _parts.Clock.Now;
                var text = Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length);
                Record(EntryKind.Received, text);
                await onFrame(this, text);
            }
        }
        catch (Exception end) when (end is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            Record(EntryKind.Closed, "broken");
            return null;
        }
    }

    private async Task<int?> AnswerCloseAsync()
    {
        var code = (int?)_socket.CloseStatus;
        Record(EntryKind.Closed, $"{code} {_socket.CloseStatusDescription}");
        _parts.Counts.Add(Results.CountNames.Closed + code);
        if (_socket.State == WebSocketState.CloseReceived)
        {
            using var patience = new CancellationTokenSource(ClosePatience, TimeProvider.System);
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
        }

        return code;
    }
}
