using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>What every socket of the process shares.</summary>
internal sealed class SocketServices(
    IGrainFactory grains, IOptions<SocketGatewayOptions> options, IOptions<SessionsOptions> sessions, ConnectionRegistry registry,
    SocketGatewayMetrics metrics, SocketGatewayInstance instance, ClusterEviction eviction, TimeProvider clock, GrainFaults faults,
    ILogger<SocketConnection> logger)
{
    public IGrainFactory Grains { get; } = grains;

    public SocketGatewayOptions Options { get; } = options.Value;

    public SessionsOptions Sessions { get; } = sessions.Value;

    public ConnectionRegistry Registry { get; } = registry;

    public SocketGatewayMetrics Metrics { get; } = metrics;

    public SocketGatewayInstance Instance { get; } = instance;

    public ClusterEviction Eviction { get; } = eviction;

    public TimeProvider Clock { get; } = clock;

    public GrainFaults Faults { get; } = faults;

    public ILogger Logger { get; } = logger;
}
