using System.Buffers;
using System.Net.WebSockets;
using System.Threading.Channels;
using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Connections;

/// <summary>One connection: frames in and out, and the silence of a server that is gone.</summary>
internal sealed class Link : IAsyncDisposable
{
    private const int MaxFrameBytes = 4 * 1024 * 1024;
    private const int MaxWaitingFrames = 4 * SessionCore.MaxUnaccepted;
    private const int ReceiveBytes = 16 * 1024;
    private const int MissedHeartbeats = 3;
    private static readonly TimeSpan DefaultHeartbeat = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly WebSocket _socket;
    private readonly TimeProvider _time;
    private readonly long _openedAt;
    private readonly ITimer _silence;
    private readonly ArrayBufferWriter<byte> _message = new(ReceiveBytes);
    private readonly Task _sending;

    // When it is full, the server has not read for long, and the connection is given up.
    private readonly Channel<byte[]> _outbox = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(MaxWaitingFrames) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private TimeSpan _silenceAfter = MissedHeartbeats * DefaultHeartbeat;
    private Exception? _fault;

    public Link(WebSocket socket, string? epoch, string? token, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        (Epoch, Token) = (epoch, token);
        _openedAt = time.GetTimestamp();
        _silence = time.CreateTimer(_ => OnSilence(), null, _silenceAfter, Timeout.InfiniteTimeSpan);
        _sending = SendAllAsync();
    }

    /// <summary>The epoch from which this connection resumes; null if it does not.</summary>
    public string? Epoch { get; }

    /// <summary>The last token that the server has judged on this connection; null if it has none.</summary>
    public string? Token { get; private set; }

    /// <summary>How the connection ended. Valid once <see cref="ReceiveAsync"/> has returned null.</summary>
    public LinkEnd End { get; private set; } = new();

    /// <summary>The last frame if it was an error: it can explain the close that follows.</summary>
    private ErrorMessage? LastError { get; set; }

    private bool IsGreeted { get; set; }

    /// <summary>A token that the server has not judged yet: one that it could not check can be used for the next connection.</summary>
    private string? SentToken { get; set; }

    /// <summary>Receives the next frame, or null at the end of the connection. It never throws.</summary>
    public async Task<ServerFrame?> ReceiveAsync()
    {
        try
        {
            if (await ReceiveMessageAsync().ConfigureAwait(false))
            {
                _silence.Change(_silenceAfter, Timeout.InfiniteTimeSpan);
                var frame = ServerFrameReader.Read(_message.WrittenMemory);
                LastError = frame.Message as ErrorMessage;
                if (frame.Message is AuthenticatedMessage or ErrorMessage { Param: "token", Error.IsRetryable: false })
                {
                    Token = SentToken ?? Token;
                }
                else if (frame.Message is HelloMessage hello)
                {
                    IsGreeted = true;
                    _silenceAfter = MissedHeartbeats * TimeSpan.FromMilliseconds(hello.HeartbeatMs);
                    _silence.Change(_silenceAfter, Timeout.InfiniteTimeSpan);
                }

                return frame;
            }

            EndWith((int?)_socket.CloseStatus ?? LinkEnd.Broken, null);
        }
        catch (ServerFrameException fault)
        {
            EndWith(LinkEnd.Broken, fault, isMisunderstood: true);
        }
        catch (Exception fault) when (IsLoss(fault))
        {
            EndWith(LinkEnd.Broken, _fault ?? fault);
        }

        return null;
    }

    /// <summary>Ends a connection that still works. Returns what is known of it.</summary>
    public LinkEnd Leave()
    {
        EndWith(LinkEnd.Broken, LastError is null ? null : RefusalErrors.Of(LastError));
        return End;
    }

    /// <summary>Sends a frame after those that wait.</summary>
    public void Send(byte[] frame)
    {
        if (!_outbox.Writer.TryWrite(frame))
        {
            Abort(new TimeoutException($"The server did not read, and {MaxWaitingFrames} messages waited."));
        }
    }

    /// <summary>Sends a fresh token.</summary>
    public void Renew(string token)
    {
        SentToken = token;
        Send(ClientFrames.Auth(token));
    }

    /// <summary>Gives the connection up. The reader gets its end.</summary>
    public void Abort(Exception fault)
    {
        _fault ??= fault;
        _socket.Abort();
    }

    /// <summary>Closes the connection with 1000, or answers the server's close, and waits a short time for the other side.</summary>
    public async Task CloseAsync()
    {
        _outbox.Writer.TryComplete();
        using var patience = new CancellationTokenSource(CloseTimeout, _time);
        try
        {
            // A WebSocket allows one send at a time.
            await _sending.WaitAsync(patience.Token).ConfigureAwait(false);
            if (_socket.State == WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(_socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, null, patience.Token).ConfigureAwait(false);
            }
            else if (_socket.State == WebSocketState.Open)
            {
                await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token).ConfigureAwait(false);
            }
        }
        catch (Exception fault) when (IsLoss(fault))
        {
            // The other side is gone already.
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _outbox.Writer.TryComplete();
        await _silence.DisposeAsync().ConfigureAwait(false);
        _socket.Abort();
        _socket.Dispose();
        await _sending.ConfigureAwait(false);
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (var frame in _outbox.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await _socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception fault) when (IsLoss(fault))
        {
            Abort(fault);
        }
    }

    /// <summary>Receives one message. Returns false for a close.</summary>
    private async Task<bool> ReceiveMessageAsync()
    {
        _message.ResetWrittenCount();
        while (true)
        {
            var part = await _socket.ReceiveAsync(_message.GetMemory(ReceiveBytes), CancellationToken.None).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return false;
            }

            _message.Advance(part.Count);
            if (part.MessageType != WebSocketMessageType.Text || _message.WrittenCount > MaxFrameBytes)
            {
                throw new ServerFrameException($"The server sent a message that is not text, or has more than {MaxFrameBytes} bytes.");
            }

            if (part.EndOfMessage)
            {
                return true;
            }
        }
    }

    /// <summary>True for what a socket throws that is broken, closed or aborted.</summary>
    private static bool IsLoss(Exception fault) =>
        fault is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException;

    private void OnSilence() => Abort(new TimeoutException($"The server sent nothing for {_silenceAfter}."));

    private void EndWith(int code, Exception? fault, bool isMisunderstood = false) => End = new()
    {
        CloseCode = code,
        CloseReason = _socket.CloseStatusDescription,
        Refusal = LastError is null ? null : RefusalErrors.Of(LastError),
        IsGreeted = IsGreeted,
        OpenFor = _time.GetElapsedTime(_openedAt),
        Token = Token,
        Fault = fault,
        IsMisunderstood = isMisunderstood,
    };
}
