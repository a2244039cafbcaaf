using Microsoft.Extensions.Options;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Hosting;

/// <summary>Fills every options class from its section, and adds the validators of those that are the server's own.</summary>
internal static class ServerOptionsHosting
{
    public static void AddServerOptions(this IServiceCollection services, IConfiguration values)
    {
        services.AddBuiltInResponders();
        Bind<ServerOptions>(services, values, "Server");
        Bind<ClusterConnectionOptions>(services, values, "Cluster");
        Bind<SessionsOptions>(services, values, "Sessions");
        Bind<ResponderOptions>(services, values, "Responder");
        Bind<EchoOptions>(services, values, "Responder:Echo");
        Bind<OpenAIOptions>(services, values, "Responder:OpenAI");
        services.AddSingleton<IValidateOptions<ServerOptions>, ServerOptionsValidator>();
        services.AddSingleton<IValidateOptions<ClusterConnectionOptions>>(new ClusterConnectionOptionsValidator(values));
    }

    private static void Bind<T>(IServiceCollection services, IConfiguration values, string section)
        where T : class => services.AddOptionsWithValidateOnStart<T>().Bind(values.GetSection(section));
}
