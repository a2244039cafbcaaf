using OrleansSessions.Grains.Responders;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Documents;
using OrleansSessions.Server.Observability;
using OrleansSessions.Server.Page;
using OrleansSessions.SocketGateway;

namespace OrleansSessions.Server.Hosting;

/// <summary>Puts the server together from its arguments. Read <see cref="Build"/>: it is the whole of it, in order.</summary>
internal static class ServerBuilder
{
    /// <exception cref="ConfigurationErrorException">The configuration has mistakes; all of them are in it.</exception>
    public static WebApplication Build(string[] args)
    {
        // 1. Read the configuration, and find every mistake in it before anything is built on it.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var own = ConfigurationSources.Add(builder.Configuration, args);
        var configuration = CheckedConfiguration.Check(builder.Configuration, own, KnownSections.All);
        ConfigurationCheck.ThrowOnMistakes(configuration);

        // 2. The parts of this role.
        var server = Read<ServerOptions>(configuration, "Server");
        var responder = Read<ResponderOptions>(configuration, "Responder");
        builder.Services.AddServerOptions(configuration.Values);
        builder.UseConnectionLimits(builder.UseListenAddresses(server.ManagementPort));
        builder.AddOrleans(server.Role, Read<ClusterConnectionOptions>(configuration, "Cluster"), Read<SessionsOptions>(configuration, "Sessions"));
        builder.AddObservability(server.Role);
        builder.Services.AddLoopbackHosts();
        if (server.Role != ServerRole.Silo)
        {
            builder.Services.AddSocketGateway(configPrefix: "");
            builder.Services.AddOpenApi("v1");
        }

        // 3. What it answers.
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

    private static T Read<T>(CheckedConfiguration configuration, string section)
        where T : new()
    {
        var options = new T();
        configuration.Values.GetSection(section).Bind(options);
        return options;
    }
}
