using OrleansSessions.Grains.Responders;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Server.Clustering;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Configuration;

/// <summary>A section of the configuration and the options that it fills.</summary>
internal sealed record KnownSection(string Path, Type Options);

/// <summary>Every section this server reads, in the order that its documentation has them.</summary>
internal static class KnownSections
{
    public static IReadOnlyList<KnownSection> All { get; } =
    [
        new("Server", typeof(ServerOptions)),
        new("Cluster", typeof(ClusterConnectionOptions)),
        new("Sessions", typeof(SessionsOptions)),
        new("SocketGateway", typeof(SocketGatewayOptions)),
        new("Responder", typeof(ResponderOptions)),
        new("Responder:Echo", typeof(EchoOptions)),
        new("Responder:OpenAI", typeof(OpenAIOptions)),
    ];

    /// <summary>Keys at the top that are not ours and that the framework reads.</summary>
    public static IReadOnlySet<string> Framework { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Logging", "Kestrel", "AllowedHosts", "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName",
        "shutdownTimeoutSeconds", "detailedErrors", "preferHostingUrls", ConfigFile.Key, "OTEL",
    };
}
