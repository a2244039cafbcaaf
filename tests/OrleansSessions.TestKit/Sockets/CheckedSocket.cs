using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Schemas;
using Xunit.Sdk;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>
/// A socket for tests: sends and receives frames as JSON, and validates each against the schema. Received frames are
/// kept until the test takes them. Every wait has a deadline, and its error says what was expected and what was received.
/// </summary>
public sealed class CheckedSocket : IAsyncDisposable
{
    public const string V1 = "sessions.v1.json";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly ClientWebSocket _socket;
    private readonly string _name;
    private readonly Channel<JsonElement> _arrived = Channel.CreateBounded<JsonElement>(
        new BoundedChannelOptions(100_000) { SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly List<string> _frames = [];
    private readonly Task<SocketEnd> _reading;

    private CheckedSocket(ClientWebSocket socket, WireProfile profile, string name)
    {
        _socket = socket;
        _name = name;
        Profile = profile;
        _reading = ReadAsync();
    }

    public WireProfile Profile { get; }

    /// <summary>All frames received so far, taken or not.</summary>
    public IReadOnlyList<string> Frames
    {
        get
        {
            lock (_frames)
            {
                return [.. _frames];
            }
        }
    }

    public static async Task<CheckedSocket> ConnectAsync(Uri address, WireProfile profile = WireProfile.V1, Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        if (profile == WireProfile.V1 && configure is null)
        {
            socket.Options.AddSubProtocol(V1);
        }

        configure?.Invoke(socket.Options);
        using var deadline = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            await socket.ConnectAsync(address, deadline.Token);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new CheckedSocket(socket, profile, address.PathAndQuery);
    }

    /// <summary>Sends a frame that is valid in the schema.</summary>
    public Task SendAsync(string json)
    {
        FrameSchema.AssertClientFrame(Profile, json);
        return SendRawAsync(Encoding.UTF8.GetBytes(json));
    }

    /// <summary>Sends a frame unchanged, whether or not it is valid.</summary>
    public async Task SendRawAsync(ReadOnlyMemory<byte> payload, WebSocketMessageType type = WebSocketMessageType.Text, bool isLast = true)
    {
        using var deadline = new CancellationTokenSource(Patience, TimeProvider.System);
        await _socket.SendAsync(payload, type, isLast, deadline.Token);
    }

    public Task AskAsync(string question, string? id = null, string? ifBusy = null)
    {
        var frame = new Dictionary<string, string> { ["question"] = question };
        if (Profile == WireProfile.V1)
        {
            frame["type"] = "question";
        }

        if (id is not null)
        {
            frame["id"] = id;
        }

        if (ifBusy is not null)
        {
            frame["if_busy"] = ifBusy;
        }

        return SendAsync(JsonSerializer.Serialize(frame));
    }

    public Task CancelAsync(string? questionId = null) =>
        SendAsync(questionId is null ? """{"type":"cancel"}""" : $$"""{"type":"cancel","question_id":"{{questionId}}"}""");

    /// <summary>Returns the next frame of any type.</summary>
    public async Task<JsonElement> NextAsync(string expectation = "any frame")
    {
        using var deadline = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            return await _arrived.Reader.ReadAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new XunitException($"{_name}: not within {Patience.TotalSeconds:N0} s: {expectation}. {Seen()}");
        }
        catch (ChannelClosedException)
        {
            var end = await _reading;
            throw new SocketEndedException($"{_name}: the socket ended ({end}) while waiting for {expectation}. {Seen()}");
        }
    }

    /// <summary>Returns the next frame, which must have this type.</summary>
    public async Task<JsonElement> ExpectAsync(string type)
    {
        var frame = await NextAsync($"'{type}'");
        return frame.Type() == type ? frame : throw new XunitException($"{_name}: expected '{type}' next, got {frame.GetRawText()}. {Seen()}");
    }

    /// <summary>Returns the next frame, which must be an error with this code.</summary>
    public async Task<JsonElement> ExpectErrorAsync(WireError error)
    {
        var frame = await ExpectAsync("error");
        return frame.Text("code") == error.Code ? frame : throw new XunitException($"{_name}: expected the error '{error.Code}', got {frame.GetRawText()}.");
    }

    /// <summary>Takes frames until one of this type (and about this question, if one is given) arrives, and returns it.</summary>
    public async Task<JsonElement> UntilAsync(string type, string? questionId = null)
    {
        while (true)
        {
            var frame = await NextAsync(questionId is null ? $"'{type}'" : $"'{type}' of {questionId}");
            if (frame.Type() == type && (questionId is null || frame.Text("question_id") == questionId))
            {
                return frame;
            }
        }
    }

    /// <summary>Waits until the server has closed or dropped the socket.</summary>
    public async Task<SocketEnd> EndAsync()
    {
        try
        {
            return await _reading.WaitAsync(Patience, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new XunitException($"{_name}: not within {Patience.TotalSeconds:N0} s: the end of the socket. {Seen()}");
        }
    }

    /// <summary>Closes the socket with the close handshake.</summary>
    public async Task CloseAsync()
    {
        await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await EndAsync();
    }

    /// <summary>Aborts the connection, like a lost network.</summary>
    public void Abort() => _socket.Abort();

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await ((Task)_reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
    }

    private async Task<SocketEnd> ReadAsync()
    {
        Exception? fault = null;
        try
        {
            var buffer = new ArraySegment<byte>(new byte[16 * 1024]);
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                    message.Write(buffer.AsSpan(0, part.Count));
                }
                while (!part.EndOfMessage);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return await AnswerCloseAsync();
                }

                Keep(Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length));
            }
        }
        catch (Exception drop) when (drop is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            return new SocketEnd(null, "dropped");
        }
        catch (Exception broken)
        {
            fault = broken;
            throw;
        }
        finally
        {
            _arrived.Writer.TryComplete(fault);
        }
    }

    private async Task<SocketEnd> AnswerCloseAsync()
    {
        if (_socket.State == WebSocketState.CloseReceived)
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }

        return new SocketEnd((int?)_socket.CloseStatus, _socket.CloseStatusDescription);
    }

    private void Keep(string json)
    {
        lock (_frames)
        {
            _frames.Add(json);
        }

        FrameSchema.AssertServerFrame(Profile, json);
        using var document = JsonDocument.Parse(json);
        if (!_arrived.Writer.TryWrite(document.RootElement.Clone()))
        {
            throw new InvalidOperationException("A test left too many frames unread.");
        }
    }

    private string Seen() => $"Frames so far:\n  {string.Join("\n  ", Frames.TakeLast(20).Select(frame => frame.Length <= 300 ? frame : frame[..300] + "..."))}";
}

/// <summary>The end of a socket.</summary>
/// <param name="Code">The close code, or null if the connection was dropped.</param>
public sealed record SocketEnd(int? Code, string? Reason);
