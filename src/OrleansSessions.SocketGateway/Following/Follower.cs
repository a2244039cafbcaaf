using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// Reads a session's log from a position, for one client over any transport. It attaches to the session's grain and keeps the position; its profile
/// decides what to send. One gate guards the frames to be written and the position. Do not send, call a grain or wait while holding it.
/// </summary>
internal sealed partial class Follower : IFollower
{
    private readonly ITransport _transport;
    private readonly FollowerClose _close;
    private readonly long _openedAt;
    private bool _isAttached;

    /// <param name="createProfile">Creates the profile. It is called before the follower is attached, and can use its <see cref="Writer"/>.</param>
    public Follower(FollowRequest request, ITransport transport, FollowerServices services, Func<Follower, IProfile> createProfile)
    {
        (Request, _transport, Services) = (request, transport, services);
        var (options, clock) = (services.Options, services.Clock);
        _openedAt = clock.GetTimestamp();
        Session = services.Grains.Get(request.SessionKey);
        Token = new(this);
        Departure = new(this);
        _close = new(this, transport);
        Writer = new(transport, Gate, options, services.Metrics, clock, OnStuck);
        Profile = createProfile(this);
        Cursor = new(Gate, Profile, new FollowerLog(this), options, clock, OnLogReadFailed);
    }

    public string Id { get; } = "c-" + RandomNumberGenerator.GetHexString(12, lowercase: true);

    public FollowRequest Request { get; }

    public FollowerServices Services { get; }

    public FollowerToken Token { get; }

    public FollowerDeparture Departure { get; }

    /// <inheritdoc cref="ITransport.Grace"/>
    public TimeSpan? Grace => _transport.Grace;

    public ISessionGrain Session { get; }

    public Lock Gate { get; } = new();

    public FrameWriter Writer { get; }

    /// <summary>Requires the gate.</summary>
    public IProfile Profile { get; }

    /// <summary>Requires the gate.</summary>
    public LogCursor Cursor { get; }

    /// <summary>True once the client was sent the reply to its attach: <c>hello</c> on a v1 socket, which must be the first frame.</summary>
    public bool IsAttached => Volatile.Read(ref _isAttached);

    public bool IsClosing => _close.Code != 0;

    public bool IsWaiting => Cursor.IsWaiting;

    /// <summary>Completes when the close was sent, or when the client did not accept it within <see cref="SocketGatewayOptions.CloseTimeout"/>.</summary>
    public Task Closed => Task.WhenAny(Writer.Finished, _close.TimedOut);

    /// <summary>Completes if the client did not accept the close in time. The transport was then aborted.</summary>
    public Task CloseTimedOut => _close.TimedOut;

    /// <summary>Attaches to the session. Never throws: if the attach fails, the follower is closed with its error.</summary>
    public async Task OpenAsync()
    {
        // 1. Register first: items that the session sends from now on are held until the position is known.
        Services.Metrics.ConnectionOpened();
        LogMessages.Opened(Services.Logger, Id, Request.SessionId, Request.Profile);
        Services.Registry.Add(Request.SessionKey, this, _openedAt);
        try
        {
            // 2. Attach: the grain's reply contains the head of the log, and everything after it arrives through the stream.
            Begin(await LostSilo.OutlastAsync(AttachAsync, isWanted: () => !IsClosing && !Services.Grains.IsEvicted, Services.Clock));
            Flush();
        }
        catch (Exception fault)
        {
            var error = Services.Grains.Report(fault, "The connection could not be attached", Request.SessionId, null);
            Close(CloseCodes.InternalError, error.Message, error, dropWaiting: false);
        }
    }

    /// <summary>Aborts the transport and reports to the session that this follower is gone. Call it once, at the end.</summary>
    /// <param name="peerCode">The close code of the client, if the client closed first.</param>
    public async Task LeaveAsync(int? peerCode)
    {
        lock (Gate)
        {
            Cursor.Close();
            _close.Dispose();
        }

        _transport.Abort();
        var count = Services.Registry.Remove(Request.SessionKey, this);
        var lifetime = Services.Clock.GetElapsedTime(_openedAt);
        Services.Metrics.ConnectionClosed(lifetime, peerCode ?? _close.Code);
        LogMessages.Closed(Services.Logger, Id, Request.SessionId, peerCode ?? _close.Code, (long)lifetime.TotalMilliseconds);
        if (Services.Grains.IsLeaving || count.IsAsleep)
        {
            // Either the whole process leaves, or the grain sleeps and has forgotten this socket gateway. A call would only delay the stop or wake the session,
            // and many connections often drop at once.
            return;
        }

        try
        {
            await Session.DetachAsync(new() { Gateway = Services.Grains.Gateway, Connection = Id, Connections = count.Connections, Version = count.Version });
        }
        catch (Exception fault)
        {
            LogMessages.DetachFailed(Services.Logger, fault, Id, Request.SessionId);
        }
    }

    public void OnEvents(long epoch, LogEvent[] events)
    {
        lock (Gate)
        {
            Cursor.OnEvents(epoch, events);
        }
    }

    public void OnRemoved(long epoch)
    {
        lock (Gate)
        {
            Cursor.OnRemoved(epoch);
        }
    }

    public bool OnHead(long epoch, long seq)
    {
        lock (Gate)
        {
            return Cursor.OnHead(epoch, seq);
        }
    }

    public void OnTick(long now)
    {
        if (IsClosing)
        {
            return;
        }

        if (Writer.IsStuck(now))
        {
            OnStuck(null);
            return;
        }

        Token.Check();
        Departure.Check(now);
        _transport.OnTick(now);
    }

    public void Depart(DepartureReason reason, TimeSpan delay) => Departure.Begin(reason, delay);

    public bool IsHeldByAnswer
    {
        get
        {
            lock (Gate)
            {
                return Profile.HasOwnOpen || (Grace is null && IsWaiting);
            }
        }
    }

    public void Flush() => Writer.Flush();

    public void FlushElsewhere() => Writer.FlushElsewhere();

    /// <summary>Sends a <c>ping</c> with the position.</summary>
    public void SendPing()
    {
        lock (Gate)
        {
            Writer.Enqueue(new ServerPingMessage(Profile.LastSeq));
        }

        Flush();
    }

    public void CloseLeaving(bool isEvicted) => Close(
        isEvicted || Request.Profile == WireProfile.Basic ? CloseCodes.ServiceRestart : CloseCodes.Draining, "This node is shutting down.");

    public void Close(int code, string reason, bool dropWaiting = true) => Close(code, reason, null, dropWaiting);

    /// <summary>Closes once. If the client does not accept it within <see cref="SocketGatewayOptions.CloseTimeout"/>, the transport is aborted.</summary>
    /// <param name="error">An error to send before the close, or null.</param>
    /// <param name="dropWaiting">False to send the waiting frames before the close.</param>
    public void Close(int code, string reason, ErrorMessage? error, bool dropWaiting)
    {
        lock (Gate)
        {
            BeginClose(code, reason, error, dropWaiting);
        }

        Flush();
    }

    /// <inheritdoc cref="FollowerClose.Begin"/>
    public void BeginClose(int code, string reason, ErrorMessage? error, bool dropWaiting) => _close.Begin(code, reason, error, dropWaiting);

    private Task<AttachReply> AttachAsync()
    {
        var isV1 = Request.Profile == WireProfile.V1;
        var count = Services.Registry.Count(Request.SessionKey);
        return Session.AttachAsync(new()
        {
            Gateway = Services.Grains.Gateway,
            Connections = count.Connections,
            Version = count.Version,
            WantsSnapshot = isV1 && Request.Resume is null,
            BasicConnection = isV1 ? null : Id,
        });
    }

    private void Begin(AttachReply reply)
    {
        lock (Gate)
        {
            if (IsClosing)
            {
                return;
            }

            Profile.OnAttached(reply, Request.Resume?.AfterSeq);
            Volatile.Write(ref _isAttached, true);
            if (Request.Resume is { } position)
            {
                Cursor.Replay(position.Epoch, position.AfterSeq);
            }
            else
            {
                Cursor.Begin(reply.Epoch, reply.Seq, reply.Open.Length);
            }
        }
    }

    private void OnStuck(Exception? fault)
    {
        if (fault is not null)
        {
            LogMessages.Broken(Services.Logger, fault, Id, Request.SessionId);
            return;
        }

        LogMessages.SlowConsumer(Services.Logger, Id, Request.SessionId);
        Close(CloseCodes.SlowConsumer, "The client does not read the frames that are sent to it.");
    }

    private void OnLogReadFailed(Exception fault)
    {
        if (!Services.Grains.IsOutage(fault))
        {
            LogMessages.LogReadFailed(Services.Logger, fault, Id, Request.SessionId);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Connection {Connection} registered for session {Session}, profile {Profile}.")]
        public static partial void Opened(ILogger logger, string connection, string session, WireProfile profile);

        [LoggerMessage(2, LogLevel.Debug, "Connection {Connection} of session {Session} removed: close code {Code}, after {LifetimeMs} ms.")]
        public static partial void Closed(ILogger logger, string connection, string session, int code, long lifetimeMs);

        [LoggerMessage(3, LogLevel.Information, "Connection {Connection} of session {Session} does not read. It will be closed.")]
        public static partial void SlowConsumer(ILogger logger, string connection, string session);

        [LoggerMessage(4, LogLevel.Debug, "The end of connection {Connection} could not be reported to session {Session}.")]
        public static partial void DetachFailed(ILogger logger, Exception fault, string connection, string session);

        [LoggerMessage(5, LogLevel.Information, "Connection {Connection} could not read the log of session {Session}. It will try again.")]
        public static partial void LogReadFailed(ILogger logger, Exception fault, string connection, string session);

        [LoggerMessage(6, LogLevel.Error, "A frame to connection {Connection} of session {Session} could not be sent. The connection was aborted.")]
        public static partial void Broken(ILogger logger, Exception fault, string connection, string session);
    }
}
