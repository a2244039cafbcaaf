using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OrleansSessions.Clustering;
using OrleansSessions.Configuration;
using OrleansSessions.Gateways;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Draining;
using OrleansSessions.SocketGateway.Errors;
using OrleansSessions.SocketGateway.Feed;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Http;
using OrleansSessions.SocketGateway.Http.EventStreams;
using OrleansSessions.SocketGateway.Limits;
using OrleansSessions.SocketGateway.Sockets;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.Stores;
using OrleansSessions.Streaming;

namespace OrleansSessions.SocketGateway;

/// <summary>Adds the socket gateway to a host with an Orleans client, which can be the client of a silo in the same process.</summary>
public static class SocketGatewayExtensions
{
    /// <summary>
    /// Adds the socket gateway, with options from the section <c>{configPrefix}SocketGateway</c>. The limits that clients receive come from
    /// <c>{configPrefix}Sessions</c> and must be the same as on the silos. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddSocketGateway(this IServiceCollection services, string configPrefix = SectionOptionsExtensions.EmbeddedPrefix)
    {
        if (IsNew(services))
        {
            AddCore(services, configPrefix);
        }

        return services;
    }

    /// <summary>
    /// Adds the socket gateway, with options from code. In a host without a silo, configure <see cref="SessionsOptions"/> as on the silos, because clients
    /// receive its limits. Safe to call twice: the options of each call are applied.
    /// </summary>
    public static IServiceCollection AddSocketGateway(this IServiceCollection services, Action<SocketGatewayOptions> configure)
    {
        services.AddOptions<SocketGatewayOptions>().Configure(configure);
        if (IsNew(services))
        {
            AddCore(services, configPrefix: null);
        }

        return services;
    }

    /// <summary>Adds the streams through which answers arrive to an external client. Safe to call twice.</summary>
    public static IClientBuilder AddSessionStreams(this IClientBuilder builder) => builder.AddPushStreams(GatewayStreams.ProviderName);

    /// <summary>Maps the sockets. The pattern must contain <c>{session_id}</c>. The host needs no WebSocket middleware of its own.</summary>
    public static IEndpointConventionBuilder MapSocketGateway(this IEndpointRouteBuilder endpoints, string pattern = "/ws/{session_id}")
    {
        var endpoint = endpoints.ServiceProvider.GetRequiredService<SocketEndpoint>();
        var pipeline = endpoints.CreateApplicationBuilder();
        pipeline.Use(RawConnection.RememberAsync);
        pipeline.UseWebSockets();
        pipeline.Run(endpoint.HandleAsync);
        return endpoints.Map(pattern, pipeline.Build()).WithMetadata(new ExcludeFromDescriptionAttribute()).WithDisplayName("Session sockets");
    }

    private static bool IsNew(IServiceCollection services) => services.All(service => service.ServiceType != typeof(SocketEndpoint));

    /// <summary>Who calls, and what it may do.</summary>
    private static void AddCallers(this IServiceCollection services)
    {
        services.AddSingleton<IStartupFilter, TokenRelay>();
        services.TryAddSingleton<ApiKeys>();
        services.AddSingleton<CallerReader>();
        services.AddSingleton<CallerPolicy>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<Gatekeeper>();
        services.AddSingleton<AdministrationGate>();
        services.AddScopeQuotaCalls();
        services.AddSingleton<AskRates>();
        services.AddSingleton<SocketPlaces>();
        services.AddSingleton<RequestRates>();
        services.AddSingleton<CallerGuards>();
    }

    private static void AddCore(IServiceCollection services, string? configPrefix)
    {
        services.AddSection<SocketGatewayOptions>(configPrefix);
        services.AddSection<SessionsOptions>(configPrefix);
        services.AddSection<AuthOptions>(configPrefix);
        services.AddSection<ScopeLimitsOptions>(configPrefix);
        services.AddMetrics();
        services.AddGatewayLoggers();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new SocketGatewayInstance(provider.GetService<ILocalSiloDetails>()?.SiloAddress));
        services.TryAddSingleton<ClusterEviction>();
        services.AddDrain();
        services.AddSingleton<IDrainStep, GatewayDrain>();
        services.AddSingleton<SocketGatewayMetrics>();
        services.AddSingleton<FollowerRegistry>();
        services.AddSingleton<SessionGrains>();
        services.AddSingleton<GatewayLimits>();
        services.AddSingleton<FollowerTelemetry>();
        services.AddSingleton<FollowerServices>();
        services.AddCallers();
        services.AddCors();
        services.AddLoopbackHosts();
        services.AddSingleton<CrossOriginAnswers>();
        services.TryAddSingleton(provider => new DescriptorBudget(provider.GetRequiredService<IOptions<SocketGatewayOptions>>()));
        services.TryAddSingleton<StoreHealth>();
        services.AddSingleton<StoreReports>();
        services.AddSingleton<GrainFaults>();
        services.AddSingleton<SocketEndpoint>();
        services.AddSingleton<SessionHttp>();
        services.AddSingleton<StreamPlaces>();
        services.AddSingleton<EventStreamEndpoint>();
        services.AddSingleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<SocketGatewayOptions>>().Value;
            return new SiloHeartbeats(provider.GetRequiredService<TimeProvider>(), options.SiloHeartbeatTimeout, options.ReadyTimeout);
        });
        services.AddSingleton<GatewayFeed>();
        services.AddSingleton<GatewayRegistration>();
        services.AddSingleton<SessionReattacher>();
        services.AddSingleton(provider =>
            new SocketGatewayHealthCheck(
                provider.GetRequiredService<SiloHeartbeats>(), provider.GetRequiredService<ClusterEviction>(), provider.GetRequiredService<Drain>(),
                provider.GetRequiredService<StoreHealth>()));
        services.AddHostedService<FollowerClock>();
        services.AddHostedService<EvictionFarewell>();
        services.AddHostedService(provider => provider.GetRequiredService<SessionReattacher>());
        services.AddHostedService<GatewayFeedService>();
    }
}
