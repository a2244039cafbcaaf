using OrleansSessions.Configuration;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Responders;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Configuration;

/// <summary>A configuration section and the options that are bound to it.</summary>
internal sealed record KnownSection(string Path, Type Options, Action<IServiceCollection, IConfiguration> Bind)
{
    public static KnownSection Of<T>()
        where T : class, ISectionOptions => new(T.Section, typeof(T), static (services, values) =>
        {
            services.AddSection<T>(configPrefix: null);
            services.AddOptions<T>().Bind(values.GetSection(T.Section));
        });
}

/// <summary>Every section that this server reads, in the order of the documentation.</summary>
internal static class KnownSections
{
    public static IReadOnlyList<KnownSection> All { get; } =
    [
        KnownSection.Of<ServerOptions>(),
        KnownSection.Of<ClusterConnectionOptions>(),
        KnownSection.Of<SessionsOptions>(),
        KnownSection.Of<SocketGatewayOptions>(),
        KnownSection.Of<ResponderOptions>(),
        KnownSection.Of<EchoOptions>(),
        KnownSection.Of<OpenAIOptions>(),
    ];

    /// <summary>Top-level keys that the framework reads.</summary>
    public static IReadOnlySet<string> Framework { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "Logging", "Kestrel", "AllowedHosts", "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName",
        "shutdownTimeoutSeconds", "detailedErrors", "preferHostingUrls", ConfigFile.Key, "OTEL",
    };
}
