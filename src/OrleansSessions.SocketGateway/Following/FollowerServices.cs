using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The services that all followers of the process share.</summary>
internal sealed class FollowerServices(
    SessionGrains grains, GatewayLimits limits, FollowerRegistry registry, CallerGuards guards, FollowerTelemetry telemetry, TimeProvider clock)
{
    public SessionGrains Grains { get; } = grains;

    public GatewayLimits Limits { get; } = limits;

    public SocketGatewayOptions Options => Limits.Gateway;

    public SessionsOptions Sessions => Limits.Sessions;

    public FollowerRegistry Registry { get; } = registry;

    public CallerGuards Guards { get; } = guards;

    public SocketGatewayMetrics Metrics { get; } = telemetry.Metrics;

    public TimeProvider Clock { get; } = clock;

    public ILogger Logger { get; } = telemetry.Logger;
}

/// <summary>What followers report to the operator.</summary>
internal sealed class FollowerTelemetry(SocketGatewayMetrics metrics, ILogger<Follower> logger)
{
    public SocketGatewayMetrics Metrics { get; } = metrics;

    public ILogger Logger { get; } = logger;
}

/// <summary>The limits for client messages: those of the socket gateway, and those of sessions as configured in this process.</summary>
internal sealed class GatewayLimits(IOptions<SocketGatewayOptions> gateway, IOptions<SessionsOptions> sessions, IOptions<ScopeLimitsOptions> scopes)
{
    public SocketGatewayOptions Gateway { get; } = gateway.Value;

    public SessionsOptions Sessions { get; } = sessions.Value;

    public ScopeLimitsOptions Scopes { get; } = scopes.Value;

    /// <summary>The limits of a caller, as <c>hello</c> tells them.</summary>
    public CallerLimits Of(SessionAccess access)
    {
        // Sockets count for the caller, whichever scope it named, and questions for the scope.
        var sockets = access.Caller.Scope == SessionScope.Anonymous ? null : NullIfNone(Scopes.MaxSocketsPerScope);
        var messages = NullIfNone(Gateway.MaxMessagesPerMinute);
        return access.Scope == SessionScope.Anonymous
            ? CallerLimits.None with { MessagesPerMinute = messages, Sockets = sockets }
            : new(messages, sockets, NullIfNone(Scopes.MaxOpenQuestionsPerScope), NullIfNone(Scopes.MaxAsksPerMinutePerScope), Scopes.MaxSessionsPerScope);
    }

    /// <summary>How long a refused client is advised to wait, in milliseconds.</summary>
    public long RetryAfterMs { get; } = (long)gateway.Value.RetryAfter.TotalMilliseconds;

    private static int? NullIfNone(int limit) => limit == 0 ? null : limit;
}
