using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Servers;

/// <summary>The client's side of one socket. Frames are held against the protocol when they are taken.</summary>
internal sealed class WireSocket : IAsyncDisposable
{
    public const string V1 = "sessions.v1.json";
    private const int MaxFrames = 100_000;

    private readonly ClientWebSocket _socket;
    private readonly ServerScene _scene;
    private readonly Channel<Frame> _frames = Channel.CreateBounded<Frame>(MaxFrames);
    private readonly Task<int?> _reading;
    private bool _isV1;
    private bool _isClosing;

    private WireSocket(ClientWebSocket socket, ServerScene scene)
    {
        (_socket, _scene) = (socket, scene);
        _reading = FrameReader.ReadAsync(socket, "server", scene.Transcript, _frames.Writer, () => _isClosing);
    }

    /// <summary>What this socket has been told.</summary>
    public CheckedLog Log { get; private set; } = new();

    public Frame Hello { get; private set; } = Frame.Parse("{}");

    public string? SubProtocol => _socket.SubProtocol;

    /// <exception cref="UpgradeRefusedException">The server answered with a status.</exception>
    public static async Task<WireSocket> ConnectAsync(ServerScene scene, Uri address, string[] subprotocols, string? origin)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
        socket.Options.CollectHttpResponseDetails = true;
        foreach (var subprotocol in subprotocols)
        {
            socket.Options.AddSubProtocol(subprotocol);
        }

        if (scene.Target.Options.Token is { } token)
        {
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        }

        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        scene.Transcript.Add("tool", $"opens {address.PathAndQuery} [{string.Join(", ", subprotocols)}]");
        try
        {
            await scene.Patience.ForAsync("an answer to the upgrade", async cancellation =>
            {
                await socket.ConnectAsync(address, cancellation);
                return true;
            });
        }
        catch (WebSocketException fault) when (socket.HttpStatusCode != 0)
        {
            scene.Transcript.Add("server", $"{(int)socket.HttpStatusCode}");
            throw new UpgradeRefusedException((int)socket.HttpStatusCode, fault);
        }

        return new(socket, scene);
    }

    /// <summary>Takes the first frame, which must be <c>hello</c>.</summary>
    /// <param name="query">The query of the socket, which can hold a position.</param>
    /// <param name="lost">The socket that this one takes the place of, or null.</param>
    public async Task TakeHelloAsync(string query, WireSocket? lost = null)
    {
        _isV1 = true;
        Log = lost?.Log ?? Log;
        Hello = await ExpectAsync("hello");
        var after = query.Split('&').FirstOrDefault(part => part.StartsWith("after=", StringComparison.Ordinal));
        Log.Begin(Hello, after is null ? null : long.Parse(after["after=".Length..], CultureInfo.InvariantCulture));
    }

    public Task SendAsync(string json)
    {
        _scene.Transcript.Add("tool", json);
        return SendRawAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text);
    }

    public Task SendRawAsync(byte[] payload, WebSocketMessageType type) => _socket.SendAsync(payload, type, true, CancellationToken.None);

    public Task AskAsync(string id, string question, string? ifBusy = null) => SendAsync(Frames.Question(id, question, ifBusy));

    /// <summary>Asks this socket to go back to a position of its epoch.</summary>
    public Task ResumeAsync(long after)
    {
        Log.BeginRewind();
        return SendAsync($$"""{"type":"resume","epoch":"{{Log.Epoch}}","after_seq":{{after}}}""");
    }

    /// <summary>Returns the next frame. Heartbeats are answered and left out.</summary>
    public async Task<Frame> NextAsync(string expected = "a frame")
    {
        while (true)
        {
            var frame = await _scene.Patience.ForAsync(expected, async cancellation =>
            {
                try
                {
                    return await _frames.Reader.ReadAsync(cancellation);
                }
                catch (ChannelClosedException)
                {
                    throw new CaseFailedException(expected, $"the end of the socket ({Show(await _reading)})");
                }
            });
            if (_isV1)
            {
                Log.Take(frame);
            }

            if (frame.Type != "ping" || expected.Contains("'ping'", StringComparison.Ordinal))
            {
                return frame;
            }

            await SendAsync($$"""{"type":"pong","seq":{{frame.Number("seq")}}}""");
        }
    }

    /// <summary>Returns the next frame, which must have this type, and be about this question if one is given.</summary>
    public async Task<Frame> ExpectAsync(string type, string? id = null)
    {
        var expected = id is null ? $"'{type}'" : $"'{type}' of {id}";
        var frame = await NextAsync(expected);
        Check.That(frame.Type == type && (id is null || frame.QuestionId == id), $"{expected} next", frame);
        return frame;
    }

    /// <summary>Returns the next frame like <see cref="ExpectAsync"/>. It must come before the answer to a ping, so it is not waited for in vain.</summary>
    public async Task<Frame> ExpectAtOnceAsync(string type, string id)
    {
        await SendAsync("""{"type":"ping"}""");
        var expected = $"'{type}' of {id}";
        var frame = await NextAsync($"{expected}, before 'ping'");
        Check.That(frame.Type == type && frame.QuestionId == id, $"{expected} next", frame);
        return frame;
    }

    public async Task<Frame> ExpectErrorAsync(string code)
    {
        var frame = await ExpectAsync("error");
        Check.Equal(code, frame.Text("code"), "the code of the error");
        Check.Equal(Protocol.WireErrors.Find(code)?.IsRetryable, frame.Flag("retryable"), "retryable");
        return frame;
    }

    /// <summary>Takes frames until one has this type, and is about this question if one is given.</summary>
    public async Task<Frame> UntilAsync(string type, string? id = null)
    {
        while (true)
        {
            var frame = await NextAsync(id is null ? $"'{type}'" : $"'{type}' of {id}");
            if (frame.Type == type && (id is null || frame.QuestionId == id))
            {
                return frame;
            }
        }
    }

    /// <summary>Makes sure that nothing else was sent: the server answers a ping, and frames keep their order.</summary>
    public async Task ExpectNothingAsync()
    {
        await SendAsync("""{"type":"ping"}""");
        await ExpectAsync("ping");
    }

    /// <summary>Waits for the close frame of the server. Returns its code, or null if the connection broke.</summary>
    public Task<int?> EndAsync() => _scene.Patience.ForAsync("the server closes the socket", cancellation => _reading.WaitAsync(cancellation));

    public async Task ExpectCloseAsync(int code) => Check.Equal(Show(code), Show(await EndAsync()), "the end of the socket");

    /// <summary>Closes the socket, and returns the code of the server's answer.</summary>
    public async Task<int?> CloseAsync(int code)
    {
        _scene.Transcript.Add("tool", $"closes with {code}");
        _isClosing = true;
        await _socket.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None);
        return await EndAsync();
    }

    /// <summary>Breaks the connection.</summary>
    public void Abort()
    {
        _scene.Transcript.Add("tool", "breaks the connection");
        _socket.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await ((Task)_reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
    }

    private static string Show(int? code) => code is null ? "the connection broke" : string.Create(CultureInfo.InvariantCulture, $"close code {code}");
}
