using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Observability;

internal static class ObservabilityHosting
{
    public const string MetricsPath = "/metrics";
    private const string ServiceName = "orleans-sessions";

    /// <summary>The library's default boundaries are for milliseconds. These range from a first delta in memory to the longest answer.</summary>
    private static readonly ExplicitBucketHistogramConfiguration Seconds = new()
    {
        Boundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
    };

    public static void AddObservability(this WebApplicationBuilder builder, ServerRole role)
    {
        builder.Services.AddOpenTelemetry().ConfigureResource(NameService).WithMetrics(metrics => metrics
            .AddView(instrument => instrument.Unit == "s" && instrument.Meter.Name.StartsWith("OrleansSessions.", StringComparison.Ordinal) ? Seconds : null)
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

    /// <summary>The environment (<c>OTEL_SERVICE_NAME</c>, <c>OTEL_RESOURCE_ATTRIBUTES</c>) is read again afterwards, so it takes precedence.</summary>
    private static void NameService(ResourceBuilder resource) =>
        resource.AddService(ServiceName, serviceVersion: ServerVersion.Text).AddEnvironmentVariableDetector();

    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPrometheusScrapingEndpoint(MetricsPath).WithMetadata(ManagementEndpoint.Instance);
}
