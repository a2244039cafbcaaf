using Microsoft.Extensions.Options;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Server.Clustering;

namespace OrleansSessions.Server.Hosting;

/// <summary>Binds every options class to its section, and adds the responders of this server that are not built in.</summary>
internal static class ServerOptionsHosting
{
    public static void AddServerOptions(this IServiceCollection services, IConfiguration values)
    {
        foreach (var section in KnownSections.All)
        {
            section.Bind(services, values);
        }

        services.AddOpenAIResponder(configPrefix: null);
        services.AddSingleton<IValidateOptions<ClusterConnectionOptions>>(new ClusterConnectionOptionsValidator(values));
    }
}
