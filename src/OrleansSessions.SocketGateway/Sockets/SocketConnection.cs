using System.Net.WebSockets;
using System.Security.Cryptography;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Profiles;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// One socket, from attach to close. Read <see cref="RunAsync"/> first: it is the whole life, in order.
/// One gate guards what is to be written and the place in the log; nobody sends, calls a grain or waits under it.
/// </summary>
internal sealed partial class SocketConnection : ISessionConnection, ISocketReaderOwner, ISocketWriterOwner, ILogSource
{
    private static readonly string[] Features = ["cancel", "queue", "replace"];

    private readonly Lock _gate = new();
    private readonly WebSocket _socket;
    private readonly SocketRequest _request;
    private readonly SocketServices _services;
    private readonly RawConnection? _raw;
    private readonly ISessionGrain _session;
    private readonly SocketReader _reader;
    private readonly SocketWriter _writer;
    private readonly LogCursor _answers;
    private readonly IProfile _profile;
    private readonly TaskCompletionSource _closeTimedOut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _openedAt;
    private ITimer? _closeTimer;
    private int _closeCode;
    private int? _peerCode;
    private StrikeCounter _badRequests;
    private StrikeCounter _busyRefusals;

    /// <param name="raw">The connection under the socket, where it is known.</param>
    public SocketConnection(WebSocket socket, SocketRequest request, SocketServices services, RawConnection? raw = null)
    {
        (_socket, _request, _services, _raw) = (socket, request, services, raw);
        var (options, clock) = (services.Options, services.Clock);
        _openedAt = clock.GetTimestamp();
        _session = services.Grains.GetGrain<ISessionGrain>(request.SessionKey);
        _writer = new(socket, _gate, options, services.Metrics, clock, this);
        _reader = new(socket, options, clock, this);
        _profile = request.Profile == WireProfile.V1
            ? new V1Profile(_writer, Hello, OnSessionRemoved)
            : new BasicProfile(_writer, _gate, options.MaxBasicFrameBytes, id => FetchAsync(id, int.MaxValue), Flush, OnSessionRemoved);
        _answers = new(_gate, _profile, this, options.MaxHeldItems, clock, OnLogReadFailed);
    }

    public string Id { get; } = "c-" + RandomNumberGenerator.GetHexString(12, lowercase: true);

    public bool IsClosing => Volatile.Read(ref _closeCode) != 0;

    public bool IsWaiting => _answers.IsWaiting;

    public async Task RunAsync()
    {
        // 1. Be found: what the session says from now on is held until the position is known.
        _services.Metrics.ConnectionOpened();
        LogMessages.Opened(_services.Logger, Id, _request.SessionId, _request.Profile);
        var count = _services.Registry.Add(_request.SessionKey, this, _openedAt);
        try
        {
            // 2. Attach: the grain's turn says where the log ends, and everything after that comes by the stream.
            await AttachAsync(count);

            // 3. Serve until the peer leaves, or until somebody closed and the peer had its time to answer.
            var reading = _reader.RunAsync();
            await Task.WhenAny(reading, _closeTimedOut.Task);

            // 4. Answer the peer's close frame, if nobody here closed before. A broken socket has nobody to say it to.
            if (reading.IsCompleted)
            {
                await CloseAfterPeerAsync(await reading);
            }
        }
        catch (Exception fault)
        {
            // Only a fault of ours comes here; what peers and grains do wrong was handled where it happened.
            LogMessages.Broken(_services.Logger, fault, Id, _request.SessionId);
            Close(CloseCodes.InternalError, "Something failed here.");
            await Task.WhenAny(_writer.Finished, _closeTimedOut.Task);
        }
        finally
        {
            // 5. Be gone: cut what is left, tell the grain.
            await LeaveAsync();
        }
    }

    public void Close(int code, string reason, bool dropWaiting = true) => Close(code, reason, null, dropWaiting);

    void ISocketWriterOwner.OnSlowConsumer()
    {
        LogMessages.SlowConsumer(_services.Logger, Id, _request.SessionId);
        Close(CloseCodes.SlowConsumer, "The client does not read what is sent to it.");
    }

    void ISocketWriterOwner.OnWriteFault(Exception fault) => LogMessages.Broken(_services.Logger, fault, Id, _request.SessionId);

    public void Flush() => _writer.Flush();

    public void FlushElsewhere() => _writer.FlushElsewhere();

    public void OnEvents(long epoch, LogEvent[] events)
    {
        lock (_gate)
        {
            _answers.OnEvents(epoch, events);
        }
    }

    public void OnRemoved(long epoch)
    {
        lock (_gate)
        {
            _answers.OnRemoved(epoch);
        }
    }

    public void OnHead(long epoch, long seq)
    {
        lock (_gate)
        {
            _answers.OnHead(epoch, seq);
        }
    }

    Task<LogPiece> ILogSource.ReadAsync(long epoch, long afterSeq)
    {
        _services.Metrics.LogReread();
        var count = _services.Registry.Count(_request.SessionKey);
        return _session.ReadLogAsync(new()
        {
            Gateway = _services.Instance.Id,
            Epoch = epoch,
            AfterSeq = afterSeq,
            Connections = count.Connections,
            Version = count.Version,
            MaxBytes = _services.Options.LogReadBytes,
        });
    }

    Task ILogSource.FlushAsync()
    {
        Flush();
        return _writer.WaitForRoomAsync();
    }

    private async Task AttachAsync(ConnectionCount count)
    {
        try
        {
            var isResuming = _request.Resume is not null;
            var isV1 = _request.Profile == WireProfile.V1;
            var reply = await _session.AttachAsync(new()
            {
                Gateway = _services.Instance.Id,
                Connections = count.Connections,
                Version = count.Version,
                WantsSnapshot = isV1 && !isResuming,
                BasicConnection = isV1 ? null : Id,
            });
            lock (_gate)
            {
                if (IsClosing)
                {
                    return;
                }

                _profile.OnAttached(reply, _request.Resume?.AfterSeq);
                if (_request.Resume is { } position)
                {
                    _answers.Replay(position.Epoch, position.AfterSeq);
                }
                else
                {
                    _answers.Begin(reply.Epoch, reply.Seq, reply.Open.Length);
                }
            }

            Flush();
        }
        catch (Exception fault)
        {
            var error = _services.Faults.Report(fault, "The socket could not be attached", _request.SessionId, null);
            Close(CloseCodes.InternalError, error.Message, error, dropWaiting: false);
        }
    }

    private async Task CloseAfterPeerAsync(int peerCode)
    {
        // A close frame of the peer's is answered; where the runtime refused what came, it has sent its own and the peer's is still to come.
        var isClosedByPeer = _socket.State is WebSocketState.CloseReceived or WebSocketState.Closed;
        var isRefusedByRuntime = peerCode == CloseCodes.ProtocolError && !isClosedByPeer;
        if (!IsClosing)
        {
            _peerCode = peerCode;
            LogMessages.PeerLeft(_services.Logger, Id, _request.SessionId, peerCode);
            Close(isClosedByPeer ? peerCode : CloseCodes.Normal, "", null, dropWaiting: true);
        }

        if (isRefusedByRuntime)
        {
            await AwaitPeersCloseAsync();
        }

        await Task.WhenAny(_writer.Finished, _closeTimedOut.Task);
    }

    /// <summary>Keeps the connection until the peer has seen the runtime's close frame: it answers, leaves, or has had CloseTimeout.</summary>
    private async Task AwaitPeersCloseAsync()
    {
        using var isOver = new CancellationTokenSource();
        var reading = _raw is null ? _closeTimedOut.Task : _raw.ReadToCloseAsync(isOver.Token);
        await Task.WhenAny(reading, _closeTimedOut.Task);
        await isOver.CancelAsync();
        await reading;
    }

    /// <summary>Says goodbye, once. Sending stops with the close frame; the peer has CloseTimeout to answer, then the socket is cut.</summary>
    private void Close(int code, string reason, ErrorMessage? error, bool dropWaiting)
    {
        lock (_gate)
        {
            if (IsClosing)
            {
                return;
            }

            if (error is not null)
            {
                _writer.Enqueue(error);
                _services.Metrics.ErrorTold(error.Error.Code);
            }

            BeginClose(code, reason, dropWaiting);
        }

        Flush();
    }

    /// <summary>The part of a close that stands under the gate; the close frame leaves with the next flush.</summary>
    private void BeginClose(int code, string reason, bool dropWaiting)
    {
        if (IsClosing)
        {
            return;
        }

        Volatile.Write(ref _closeCode, code);
        _answers.Close();
        _writer.EnqueueClose(code, reason, dropWaiting);
        _closeTimer = _services.Clock.CreateTimer(
            static connection => ((SocketConnection)connection!).OnCloseTimeout(), this, _services.Options.CloseTimeout, Timeout.InfiniteTimeSpan);
    }

    private void OnCloseTimeout()
    {
        _socket.Abort();
        _closeTimedOut.TrySetResult();
    }

    /// <summary>Called under the gate, by the profile.</summary>
    private void OnSessionRemoved() => BeginClose(CloseCodes.SessionRemoved, "The session was removed.", dropWaiting: false);

    private async Task LeaveAsync()
    {
        lock (_gate)
        {
            _answers.Close();
            _closeTimer?.Dispose();
        }

        _socket.Abort();
        var count = _services.Registry.Remove(_request.SessionKey, this);
        var lifetime = _services.Clock.GetElapsedTime(_openedAt);
        _services.Metrics.ConnectionClosed(lifetime, _peerCode ?? _closeCode);
        LogMessages.Closed(_services.Logger, Id, _request.SessionId, _peerCode ?? _closeCode, (long)lifetime.TotalMilliseconds);
        if (_closeCode is CloseCodes.Draining or CloseCodes.ServiceRestart)
        {
            // The whole process leaves; the grains hear of that at once, and a call each would only hold up the stop.
            return;
        }

        if (count.IsAsleep)
        {
            // The grain has forgotten this socket gateway; a call would only wake it, and many sockets often drop at once.
            return;
        }

        try
        {
            await _session.DetachAsync(new()
            {
                Gateway = _services.Instance.Id,
                Connection = Id,
                Connections = count.Connections,
                Version = count.Version,
            });
        }
        catch (Exception fault)
        {
            LogMessages.DetachFailed(_services.Logger, fault, Id, _request.SessionId);
        }
    }

    private HelloMessage Hello(AttachReply reply, bool isResuming)
    {
        var options = _services.Options;
        return new(
            _request.SessionId, Id, reply.Responder, Epochs.ToWire(reply.Epoch), reply.Seq, reply.Open, isResuming,
            (int)options.HeartbeatInterval.TotalMilliseconds, options.MaxMessageBytes, _services.Sessions.MaxQuestionBytes,
            (int)options.ReconnectMin.TotalMilliseconds, (int)options.ReconnectMax.TotalMilliseconds, Features);
    }

    private void OnLogReadFailed(Exception fault) => LogMessages.LogReadFailed(_services.Logger, fault, Id, _request.SessionId);
}
