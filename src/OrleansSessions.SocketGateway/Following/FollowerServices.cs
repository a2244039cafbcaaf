using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The services that all followers of the process share.</summary>
internal sealed class FollowerServices(
    SessionGrains grains, GatewayLimits limits, FollowerRegistry registry, SocketGatewayMetrics metrics, TimeProvider clock, ILogger<Follower> logger)
{
    public SessionGrains Grains { get; } = grains;

    public GatewayLimits Limits { get; } = limits;

    public SocketGatewayOptions Options => Limits.Gateway;

    public SessionsOptions Sessions => Limits.Sessions;

    public FollowerRegistry Registry { get; } = registry;

    public SocketGatewayMetrics Metrics { get; } = metrics;

    public TimeProvider Clock { get; } = clock;

    public ILogger Logger { get; } = logger;
}

/// <summary>The limits for client messages: those of the socket gateway, and those of sessions as configured in this process.</summary>
internal sealed class GatewayLimits(IOptions<SocketGatewayOptions> gateway, IOptions<SessionsOptions> sessions)
{
    public SocketGatewayOptions Gateway { get; } = gateway.Value;

    public SessionsOptions Sessions { get; } = sessions.Value;

    /// <summary>How long a refused client is advised to wait, in milliseconds.</summary>
    public long RetryAfterMs { get; } = (long)gateway.Value.RetryAfter.TotalMilliseconds;
}
