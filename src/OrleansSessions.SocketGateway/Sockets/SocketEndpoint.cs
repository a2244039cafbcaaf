using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>The endpoint of the sockets. It decides who may connect, with which profile, and how a refusal reaches the client.</summary>
internal sealed partial class SocketEndpoint
{
    private const string V1Protocol = TokenRelay.V1Protocol;

    // A refusal on a socket holds a connection until the peer has answered the close frame, and nothing else counts this connection.
    private const int MaxRefusals = 256;

    // A part of the other connections, so that refusals fit into what is reserved for bursts in addition to everything that is counted.
    private const int RefusalShare = 8;

    private readonly FollowerServices _services;
    private readonly Gatekeeper _gatekeeper;
    private readonly Drain _drain;
    private readonly ILogger _logger;
    private readonly int _maxConnections;
    private readonly int _maxRefusals;
    private int _refusals;

    public SocketEndpoint(
        FollowerServices services, Gatekeeper gatekeeper, DescriptorBudget descriptors, Drain drain, ILogger<SocketEndpoint> logger)
    {
        (_services, _gatekeeper, _drain, _logger, _maxConnections) = (services, gatekeeper, drain, logger, descriptors.Sockets);
        _maxRefusals = Math.Min(MaxRefusals, Math.Max(1, (descriptors.PlainConnections ?? int.MaxValue) / RefusalShare));
        if (descriptors.Sockets < services.Options.MaxConnections)
        {
            LogMessages.Clamped(logger, services.Options.MaxConnections, descriptors.Limit, descriptors.Sockets);
        }
    }

    public async Task HandleAsync(HttpContext context)
    {
        // 1. A request that can never become a socket is refused in plain HTTP.
        if (PlainRefusal(context, out var id, out var origin) is { } plain)
        {
            await RefuseAsync(context, plain, isBrowser: false);
            return;
        }

        // 2. A refusal that a page in a browser must be able to see is sent on the socket.
        var isBrowser = origin != RequestOrigin.None;
        if (await _gatekeeper.AdmitAsync(context, SessionRights.Follow) is { } refusal)
        {
            await RefuseAsync(context, refusal, isBrowser);
            return;
        }

        if (ReadRequest(context, id, out var request) is { } invalid)
        {
            await RefuseAsync(context, invalid, isBrowser: false);
            return;
        }

        if (request is null)
        {
            await RefuseAsync(context, new(WireErrors.UnsupportedProtocol, $"This server supports the subprotocol {V1Protocol}."), isBrowser);
            return;
        }

        if (_drain.IsDraining || _services.Grains.IsEvicted)
        {
            await RefuseAsync(context, Refusals.GoingDown(_services.Limits.RetryAfterMs), isBrowser);
            return;
        }

        if (!_services.Registry.TryReserve(_maxConnections))
        {
            LogMessages.Full(_logger, _maxConnections);
            await RefuseAsync(context, Refusals.ConnectionLimit(_services.Limits.RetryAfterMs), isBrowser);
            return;
        }

        // 3. Serve.
        try
        {
            if (await _services.Guards.TakePlaceAsync(context) is { } tooMany)
            {
                await RefuseAsync(context, tooMany, isBrowser);
                return;
            }

            await ServeAsync(context, request);
        }
        finally
        {
            _services.Registry.Release();
        }
    }

    private async Task ServeAsync(HttpContext context, FollowRequest request)
    {
        try
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync(AcceptContext(context, request.Profile));
            await new SocketConnection(socket, request, _services, RawConnection.Of(context)).RunAsync();
        }
        finally
        {
            _services.Guards.ReleasePlace(request.Access);
        }
    }

    private ErrorMessage? PlainRefusal(HttpContext context, out string id, out RequestOrigin origin)
    {
        id = context.Request.RouteValues["session_id"] as string ?? "";
        if (_gatekeeper.FindRefusal(context, out origin) is { } forbidden)
        {
            return forbidden;
        }

        // HTTP/2 opens a WebSocket with a CONNECT request.
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsConnect(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            return new(WireErrors.MethodNotAllowed, "This address supports only GET with a WebSocket upgrade.");
        }

        if (!Identifiers.IsSessionId(id))
        {
            return Refusals.SessionId("session_id");
        }

        return context.WebSockets.IsWebSocketRequest ? null : new(WireErrors.BadRequest, "This address supports only WebSocket upgrades.");
    }

    /// <param name="request">Null if it is refused, or if none of the offered profiles is known.</param>
    private static ErrorMessage? ReadRequest(HttpContext context, string id, out FollowRequest? request)
    {
        request = null;
        if (ChooseProfile(context) is not { } profile)
        {
            return null;
        }

        (long, long)? resume = null;
        if (profile == WireProfile.V1 && FollowRequest.ReadPosition(context.Request.Query, out resume) is { } refusal)
        {
            return refusal;
        }

        request = new(SessionAccess.Of(context), id, profile, resume)
        {
            From = AuditLog.From(context),
            TraceParent = RequestTrace.Received(context.Request),
        };
        return null;
    }

    /// <summary>Returns null if subprotocols were offered and none is known.</summary>
    private static WireProfile? ChooseProfile(HttpContext context)
    {
        var offered = context.WebSockets.WebSocketRequestedProtocols;
        if (offered.Count > 0)
        {
            return offered.Contains(V1Protocol) ? WireProfile.V1 : null;
        }

        var version = context.Request.Query["v"];
        return version.Count == 0 ? WireProfile.Basic : version == "1" ? WireProfile.V1 : null;
    }

    private WebSocketAcceptContext AcceptContext(HttpContext context, WireProfile profile)
    {
        var isBasic = profile == WireProfile.Basic;
        return new()
        {
            SubProtocol = context.WebSockets.WebSocketRequestedProtocols.Count > 0 ? V1Protocol : null,

            // Version 1 has its own heartbeat, which both sides can see.
            KeepAliveInterval = isBasic ? _services.Options.HeartbeatInterval : Timeout.InfiniteTimeSpan,
            KeepAliveTimeout = isBasic ? _services.Options.HeartbeatInterval : Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>A page cannot see the status of a refused upgrade, so it gets a socket with the error and a close frame. This calls no grain.</summary>
    private async Task RefuseAsync(HttpContext context, ErrorMessage error, bool isBrowser)
    {
        _services.Metrics.ErrorTold(error.Error.Code);
        if (!isBrowser || error.Error.AttachCloseCode is not { } code)
        {
            await Problems.From(error).ExecuteAsync(context);
            return;
        }

        try
        {
            // Above the limit, a page learns less about the refusal, but the process survives.
            await (Interlocked.Increment(ref _refusals) > _maxRefusals
                ? Problems.From(error).ExecuteAsync(context)
                : RefuseOnSocketAsync(context, error, code));
        }
        finally
        {
            Interlocked.Decrement(ref _refusals);
        }
    }

    private async Task RefuseOnSocketAsync(HttpContext context, ErrorMessage error, int code)
    {
        // Chromium closes a socket that selects none of the offered protocols, and reports 1006 instead of the error.
        var selected = context.WebSockets.WebSocketRequestedProtocols.Contains(V1Protocol) ? V1Protocol : null;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { SubProtocol = selected });
        using var patience = new CancellationTokenSource(_services.Options.CloseTimeout, _services.Clock);
        var buffer = FrameBuffer.Rent();
        try
        {
            await socket.SendAsync(buffer.Write(error), WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, patience.Token);
            await socket.CloseAsync((WebSocketCloseStatus)code, error.Error.Title, patience.Token);
        }
        catch (Exception fault) when (fault is WebSocketException or OperationCanceledException or IOException)
        {
            socket.Abort();
        }
        finally
        {
            FrameBuffer.Return(buffer);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "A socket was refused: the maximum of {Limit} connections is reached.")]
        public static partial void Full(ILogger logger, int limit);

        [LoggerMessage(2, LogLevel.Warning,
            "SocketGateway:MaxConnections is {MaxConnections}, but this process may open {Limit} files, so it accepts {Sockets} sockets. "
            + "To allow more, raise the limit: 'ulimit -n' in a shell, LimitNOFILE= for systemd, --ulimit nofile= for Docker.")]
        public static partial void Clamped(ILogger logger, int maxConnections, int? limit, int sockets);
    }
}
