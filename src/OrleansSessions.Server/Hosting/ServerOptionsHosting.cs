using Microsoft.Extensions.Options;
using OrleansSessions.Responders.OpenAI;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Hosting;

/// <summary>Fills every options class from its section, and adds the responders that this server offers beside the built-in ones.</summary>
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
