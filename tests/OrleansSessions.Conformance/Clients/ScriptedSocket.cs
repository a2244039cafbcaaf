using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Wire;

namespace OrleansSessions.Conformance.Clients;

/// <summary>The server's side of one socket. The case says what it sends.</summary>
internal sealed class ScriptedSocket
{
    private const int MaxFrames = 10_000;

    private readonly WebSocket _socket;
    private readonly Action _abort;
    private readonly ClientScene _scene;
    private readonly Channel<Frame> _frames = Channel.CreateBounded<Frame>(MaxFrames);
    private readonly Task<int?> _reading;
    private bool _isClosing;
    private int _pongsDue;

    /// <param name="onEnd">Called when the socket has ended.</param>
    public ScriptedSocket(WebSocket socket, Action abort, ClientScene scene, Action onEnd)
    {
        (_socket, _abort, _scene) = (socket, abort, scene);
        _reading = ReadAsync(onEnd);
    }

    public async Task SendAsync(string json)
    {
        _scene.Transcript.Add("server", json);
        await _socket.SendAsync(Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, CancellationToken.None);
    }

    public async Task SendAsync(params IEnumerable<string> frames)
    {
        foreach (var frame in frames)
        {
            await SendAsync(frame);
        }
    }

    /// <summary>Returns the next frame, which must have this type. Heartbeats that nothing waits for are left out.</summary>
    public async Task<Frame> ExpectAsync(string type)
    {
        while (true)
        {
            var frame = await NextAsync($"a frame '{type}' of the client");
            // A question can leave out its type.
            var got = frame.Type ?? (frame.Has("question") ? "question" : null);
            if (got == type)
            {
                return frame;
            }

            Check.That(got is "ping" or "pong", $"a frame '{type}' of the client", frame);
            if (got == "ping")
            {
                await SendAsync("""{"type":"ping","seq":0}""");
            }
        }
    }

    /// <summary>
    /// Makes sure that the client has sent nothing else: it answers a ping, and frames keep their order.
    /// </summary>
    /// <param name="seq">A position that the client has reached.</param>
    public async Task ExpectNothingAsync(long seq = 0)
    {
        await PingAsync(seq);
        while (true)
        {
            var frame = await NextAsync("a pong of the client");
            if (frame.Type == "pong" && _pongsDue == 0)
            {
                return;
            }

            Check.That(frame.Type is "ping" or "pong", "no frame but the pong", frame);
        }
    }

    /// <summary>Returns the client's next frame of this type, or null if it answers a ping without having sent one.</summary>
    public async Task<Frame?> UntilPongOrAsync(string type)
    {
        await PingAsync(0);
        while (true)
        {
            var frame = await NextAsync($"a frame '{type}' of the client, or a pong");
            if (frame.Type == type || (frame.Type == "pong" && _pongsDue == 0))
            {
                return frame.Type == type ? frame : null;
            }
        }
    }

    private Task PingAsync(long seq)
    {
        _pongsDue++;
        return SendAsync($$"""{"type":"ping","seq":{{seq}}}""");
    }

    /// <summary>Waits until the client has closed the socket. Returns its close code, or null if the connection broke.</summary>
    public Task<int?> EndAsync() => _scene.Patience.ForAsync("the client closes the socket", cancellation => _reading.WaitAsync(cancellation));

    /// <summary>Closes the socket and waits for the client's answer for a moment, as a server does.</summary>
    public async Task CloseAsync(int code)
    {
        _scene.Transcript.Add("server", $"closes with {code}");
        _isClosing = true;
        await _socket.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None);
        _ = AbortLaterAsync();
    }

    public void Abort()
    {
        _scene.Transcript.Add("server", "breaks the connection");
        _isClosing = true;
        // In this order: once the socket is gone, so is the request that is to be aborted.
        _abort();
        _socket.Abort();
    }

    private async Task AbortLaterAsync()
    {
        using var patience = new CancellationTokenSource(_scene.Patience.Limit, TimeProvider.System);
        await ((Task)_reading.WaitAsync(patience.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Abort();
    }

    private Task<Frame> NextAsync(string expected) => _scene.Patience.ForAsync(expected, async cancellation =>
    {
        try
        {
            var frame = await _frames.Reader.ReadAsync(cancellation);
            _pongsDue -= frame.Type == "pong" && _pongsDue > 0 ? 1 : 0;
            return frame;
        }
        catch (ChannelClosedException)
        {
            throw new CaseFailedException(expected,
                $"the end of the socket (close code {(await _reading)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"})");
        }
    });

    private async Task<int?> ReadAsync(Action onEnd)
    {
        try
        {
            return await FrameReader.ReadAsync(_socket, "client", _scene.Transcript, _frames.Writer, () => _isClosing);
        }
        finally
        {
            onEnd();
        }
    }
}
