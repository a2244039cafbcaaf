using OrleansSessions.Configuration;
using OrleansSessions.Responders;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Documents;
using OrleansSessions.Server.Observability;
using OrleansSessions.Server.Page;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Hosting;

/// <summary>Builds the server from its arguments. Read <see cref="Build"/>: it contains all steps, in order.</summary>
internal static class ServerBuilder
{
    /// <exception cref="ConfigurationErrorException">The configuration has mistakes. The exception contains all of them.</exception>
    public static WebApplication Build(string[] args)
    {
        // 1. Read the configuration, and find every mistake before anything is built.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var own = ConfigurationSources.Add(builder.Configuration, args);
        var configuration = CheckedConfiguration.Check(builder.Configuration, own, KnownSections.All);
        ConfigurationCheck.ThrowOnMistakes(configuration);

        // 2. Add the parts of this role.
        var server = Read<ServerOptions>(configuration);
        var responder = Read<ResponderOptions>(configuration);
        builder.Services.AddServerOptions(configuration.Values);
        builder.UseConnectionLimits(builder.UseListenAddresses(server.ManagementPort));
        builder.AddOrleans(server.Role, Read<ClusterConnectionOptions>(configuration), Read<SessionsOptions>(configuration));
        builder.AddObservability(server.Role);
        builder.Services.AddLoopbackHosts();
        if (server.Role != ServerRole.Silo)
        {
            builder.Services.AddSocketGateway(static _ => { });
            builder.Services.AddOpenApi("v1");
        }

        // 3. Map the endpoints.
        var app = builder.Build();
        app.UseLoopbackHosts();
        app.UseRouting();
        app.UseManagementPort(server.ManagementPort);
        app.MapObservability();
        if (server.Role != ServerRole.Silo)
        {
            app.MapSocketGateway("/ws/{session_id}");
            app.MapSessionHttp();
            app.MapDocuments();
            app.MapPage();
        }

        app.GreetWhenStarted(server, responder);
        return app;
    }

    private static T Read<T>(CheckedConfiguration configuration)
        where T : ISectionOptions, new()
    {
        var options = new T();
        configuration.Values.GetSection(T.Section).Bind(options);
        return options;
    }
}
