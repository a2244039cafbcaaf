using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The services that followers share, with grains that a test replaces.</summary>
internal static class FollowerTestServices
{
    public static SessionGrains Grains(IGrainFactory grains, ClusterEviction? eviction = null, SocketGatewayOptions? options = null) =>
        new(grains, new(null), eviction ?? new(), new(Options.Create(options ?? new()), NullLogger<GrainFaults>.Instance));

    public static FollowerServices Create(
        ISessionGrain session, FollowerRegistry registry, IServiceProvider metrics, TimeProvider clock, SocketGatewayOptions? options = null,
        ClusterEviction? eviction = null) => new(
        Grains(Stub.Of<IGrainFactory>((_, _) => session), eviction, options), new(Options.Create(options ?? new()), Options.Create(new SessionsOptions())),
        registry, metrics.GetRequiredService<SocketGatewayMetrics>(), clock, NullLogger<Follower>.Instance);
}
