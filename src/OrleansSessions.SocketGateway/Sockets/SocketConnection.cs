using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Profiles;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>One WebSocket, from attach to close. Read <see cref="RunAsync"/> first: it shows the whole life of a socket, in order.</summary>
internal sealed partial class SocketConnection : ITransport, ISocketReaderOwner
{
    // What an honest client has on its way when this side closes: some messages, and its close frame.
    private const int MaxDiscarded = 64;

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(1);

    // A client opens its next socket before it closes this one, and may need several attempts.
    private static readonly TimeSpan ReconnectGrace = TimeSpan.FromSeconds(10);

    private readonly WebSocket _socket;
    private readonly FollowerServices _services;
    private readonly RawConnection? _raw;
    private readonly SocketReader _reader;
    private readonly FollowerRequests _requests;
    private int? _peerCode;
    private int _discarded;
    private long _pingedAt;
    private long _unansweredSince;
    private MessageRate _rate;

    /// <param name="raw">The connection under the socket, if it is known.</param>
    public SocketConnection(WebSocket socket, FollowRequest request, FollowerServices services, RawConnection? raw = null)
    {
        (_socket, _services, _raw) = (socket, services, raw);
        _reader = new(socket, services.Options, services.Clock, this);
        Follower = new(request, this, services, ProfileFactory.Create);
        _requests = new(Follower);
    }

    public Follower Follower { get; }

    public bool IsClosing => Follower.IsClosing;

    public TimeSpan? Grace => ReconnectGrace;

    public async Task RunAsync()
    {
        try
        {
            // 1. Attach to the session.
            await Follower.OpenAsync();

            // 2. Serve until the peer leaves, or until this side has closed and the peer's time to answer is over.
            var reading = _reader.RunAsync();
            await Task.WhenAny(reading, Follower.CloseTimedOut);

            // 3. Answer the peer's close frame, unless this side closed first.
            if (reading.IsCompleted)
            {
                await CloseAfterPeerAsync(await reading);
            }
        }
        catch (Exception fault)
        {
            // Only bugs of this server end here. Errors of peers and grains are handled where they occur.
            LogMessages.Broken(_services.Logger, fault, Follower.Id, Follower.Request.SessionId);
            Follower.Close(CloseCodes.InternalError, "The server failed.");
            await Follower.Closed;
        }
        finally
        {
            // 4. Abort what is left, and report to the session that this follower is gone.
            await Follower.LeaveAsync(_peerCode);
        }
    }

    public ValueTask SendAsync(ServerMessage message, FrameBuffer buffer) =>
        _socket.SendAsync(buffer.Write(message), WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);

    public async Task CloseAsync(int code, string reason)
    {
        if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await _socket.CloseOutputAsync((WebSocketCloseStatus)(IsSendable(code) ? code : CloseCodes.Normal), reason, CancellationToken.None);
        }
    }

    public void Abort() => _socket.Abort();

    public void OnTick(long now)
    {
        if (_reader.MessageSince is var message and not 0 && _services.Clock.GetElapsedTime(message, now) > _services.Options.MessageTimeout)
        {
            Follower.Close(CloseCodes.PolicyViolation, "The message was not completed in time.", null, dropWaiting: false);
        }
        else if (_raw?.FloodedFor(now) > _services.Options.MessageTimeout)
        {
            Follower.Close(CloseCodes.PolicyViolation, "Too many WebSocket pings were received.", null, dropWaiting: false);
        }
        else if (Follower.Request.Profile == WireProfile.V1)
        {
            // The runtime keeps basic sockets alive with WebSocket pings.
            KeepAlive(now);
        }
    }

    ValueTask ISocketReaderOwner.OnMessageAsync(ReadOnlySpan<byte> utf8)
    {
        _services.Metrics.MessageReceived();
        if (_rate.Take(_services.Clock, _services.Options.MaxMessagesPerMinute, utf8.Length) is { } wait)
        {
            _requests.Refused.TellTooMany(wait);

            // The next message is not read meanwhile, so a flood costs the server no more than the rate that it may have.
            return new(Task.WhenAny(Task.Delay(wait < MaxPause ? wait : MaxPause, _services.Clock), Follower.Closed));
        }

        var parsed = ClientMessageParser.Parse(utf8, Follower.Request.Profile, _services.Sessions.MaxQuestionBytes);
        if (parsed.Refusal is { } refusal)
        {
            _requests.Refused.TellBad(refusal);
            return default;
        }

        return _requests.HandleAsync(parsed.Message!);
    }

    void ISocketReaderOwner.OnReceived(int bytes)
    {
        if (!IsClosing || ++_discarded < MaxDiscarded)
        {
            _raw?.Excuse(bytes);
        }
        else
        {
            // A flood does not end because this side closes, and discarding it costs as much as reading it.
            _raw?.Exhaust();
        }
    }

    void ISocketReaderOwner.OnViolation(int closeCode, string reason)
    {
        var error = closeCode == CloseCodes.MessageTooBig ? Refusals.MessageTooLarge("message", _services.Options.MaxMessageBytes) : null;
        Follower.Close(closeCode, reason, error, dropWaiting: false);
    }

    private void KeepAlive(long now)
    {
        var (interval, clock) = (_services.Options.HeartbeatInterval, _services.Clock);
        if (!Follower.IsAttached || !Follower.Writer.HasRoom)
        {
            // The reader may be waiting, so silence means nothing. The hello is the first frame, and SendTimeout applies to a client that does not read.
            _reader.ExcuseSilence(now);
        }
        else if (clock.GetElapsedTime(_reader.LastHeardAt, now) > interval * 2
            && _unansweredSince > _reader.LastHeardAt && clock.GetElapsedTime(_unansweredSince, now) >= interval)
        {
            // A client is silent only if it had the time to answer. After a process has hung, no client was pinged in time.
            Follower.Close(CloseCodes.MissedHeartbeat, "Nothing was received for too long.");
        }
        else if (clock.GetElapsedTime(Math.Min(Follower.Writer.LastSentAt, Math.Max(_reader.LastHeardAt, _pingedAt)), now) >= interval
            && _socket.State == WebSocketState.Open)
        {
            // Also in the middle of an answer: a client that only reads has no other sign of life than its pongs.
            _pingedAt = now;
            _unansweredSince = _unansweredSince > _reader.LastHeardAt ? _unansweredSince : now;
            Follower.SendPing();
        }
    }

    private async Task CloseAfterPeerAsync(int peerCode)
    {
        // The peer's close frame is answered. If the runtime refused the peer's data,
        // the runtime has sent its own close frame, and the peer's is still to come.
        var isClosedByPeer = _socket.State is WebSocketState.CloseReceived or WebSocketState.Closed;
        var isRefusedByRuntime = peerCode == CloseCodes.ProtocolError && !isClosedByPeer;
        if (!IsClosing)
        {
            _peerCode = peerCode;
            LogMessages.PeerLeft(_services.Logger, Follower.Id, Follower.Request.SessionId, peerCode);
            Follower.Close(isClosedByPeer ? peerCode : CloseCodes.Normal, "");
        }

        if (isRefusedByRuntime)
        {
            await AwaitPeersCloseAsync();
        }

        await Follower.Closed;
    }

    /// <summary>Keeps the connection until the peer has seen the runtime's close frame: until it answers or leaves, or CloseTimeout is over.</summary>
    private async Task AwaitPeersCloseAsync()
    {
        using var isOver = new CancellationTokenSource();
        var reading = _raw is null ? Follower.CloseTimedOut : _raw.ReadToCloseAsync(isOver.Token);
        await Task.WhenAny(reading, Follower.CloseTimedOut);
        await isOver.CancelAsync();
        await reading;
    }

    /// <summary>False for codes that are reserved or that only report something, for example 1005 and 1006. The socket refuses to send them.</summary>
    private static bool IsSendable(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "The client of connection {Connection}, session {Session}, left with close code {Code}.")]
        public static partial void PeerLeft(ILogger logger, string connection, string session, int code);

        [LoggerMessage(2, LogLevel.Error, "Connection {Connection} of session {Session} failed.")]
        public static partial void Broken(ILogger logger, Exception fault, string connection, string session);
    }
}
