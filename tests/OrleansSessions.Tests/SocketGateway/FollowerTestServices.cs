using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.Stores;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The services that followers share, with grains that a test replaces.</summary>
internal static class FollowerTestServices
{
    public static SessionGrains Grains(IGrainFactory grains, ClusterEviction? eviction = null, SocketGatewayOptions? options = null) =>
        new(grains, new(null), eviction ?? new(), new(), new(Options.Create(options ?? new()), Store(TimeProvider.System), NullLogger<GrainFaults>.Instance));

    /// <summary>What a process without a silo knows of the store.</summary>
    public static StoreReports Store(TimeProvider clock) => new(new(clock, NullLogger<StoreHealth>.Instance), new(null), clock);

    public static FollowerServices Create(
        ISessionGrain session, FollowerRegistry registry, IServiceProvider metrics, TimeProvider clock, SocketGatewayOptions? options = null,
        ClusterEviction? eviction = null) => new(
        Grains(Stub.Of<IGrainFactory>((_, _) => session), eviction, options),
        new(Options.Create(options ?? new()), Options.Create(new SessionsOptions()), Options.Create(new ScopeLimitsOptions())),
        registry, NoGuards(metrics.GetRequiredService<SocketGatewayMetrics>(), clock),
        new(metrics.GetRequiredService<SocketGatewayMetrics>(), NullLogger<Follower>.Instance), clock);

    /// <summary>No token arrives in these tests, and all callers are anonymous, so that nothing is counted.</summary>
    private static CallerGuards NoGuards(SocketGatewayMetrics metrics, TimeProvider clock) =>
        new(null!, new(Options.Create(new ScopeLimitsOptions()), null!, metrics, clock), null!, null!, null!);
}
