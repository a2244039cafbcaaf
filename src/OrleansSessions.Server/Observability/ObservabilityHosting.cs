using OpenTelemetry.Metrics;
using OrleansSessions.Server.Configuration;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Observability;

internal static class ObservabilityHosting
{
    public const string MetricsPath = "/metrics";

    public static void AddObservability(this WebApplicationBuilder builder, ServerRole role)
    {
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("OrleansSessions.*", "Microsoft.Orleans", "System.Runtime")
            .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Http.Connections")
            .AddPrometheusExporter());

        var health = builder.Services.AddHealthChecks();
        if (role != ServerRole.SocketGateway)
        {
            health.AddCheck<SiloHealthCheck>("silo", tags: [HealthEndpoints.ReadyTag]);
        }

        if (role != ServerRole.Silo)
        {
            health.AddCheck<SocketGatewayHealthCheck>("socket_gateway", tags: [HealthEndpoints.ReadyTag]);
        }
    }

    public static void MapObservability(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealth();
        endpoints.MapPrometheusScrapingEndpoint(MetricsPath).WithMetadata(ManagementEndpoint.Instance);
    }
}
