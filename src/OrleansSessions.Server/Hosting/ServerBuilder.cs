using OrleansSessions.Clustering;
using OrleansSessions.Configuration;
using OrleansSessions.Responders;
using OrleansSessions.Server.Authentication;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Documents;
using OrleansSessions.Server.Observability;
using OrleansSessions.Server.Page;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.Stores;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Hosting;

/// <summary>Builds the server from its arguments. Read <see cref="Build"/>: it contains all steps, in order.</summary>
internal static class ServerBuilder
{
    /// <param name="configure">Changes the builder before the server is built, for tests.</param>
    /// <exception cref="ConfigurationErrorException">The configuration has mistakes. The exception contains all of them.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        // 1. Read the configuration, and find every mistake before anything is built.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var own = ConfigurationSources.Add(builder.Configuration, args);
        var configuration = CheckedConfiguration.Check(builder.Configuration, own, KnownSections.All);
        var server = Read<ServerOptions>(configuration);
        var (auth, jwt) = (Read<AuthOptions>(configuration), Read<JwtOptions>(configuration));
        ConfigurationCheck.ThrowOnMistakes(
            configuration,
            ClosedByDefault.FindMistake(server.Role, ListenAddresses.ForClients(builder.Configuration), auth, jwt),
            KnownProxies.FindMistake(builder.Configuration));

        // 2. Add the parts of this role.
        var responder = Read<ResponderOptions>(configuration);
        builder.Services.AddServerOptions(configuration.Values);
        builder.Services.Configure<DrainOptions>(drain => drain.Timeout = server.DrainTimeout);
        builder.Services.AddHostedService<StopSignals>();
        builder.Services.AddHostedService<StopLimit>();
        builder.UseConnectionLimits(builder.UseListenAddresses(server.ManagementPort));
        var (cluster, sessions) = (Read<ClusterConnectionOptions>(configuration), Read<SessionsOptions>(configuration));
        builder.AddOrleans(server.Role, cluster, sessions);
        builder.AddObservability(server.Role);
        var outageLogs = OutageLogs.Add(builder.Logging);
        builder.AddSecurityHeaders();
        builder.Services.AddKnownProxies(server.KnownProxies);
        builder.Services.AddLoopbackHosts();
        if (server.Role != ServerRole.Silo)
        {
            builder.Services.AddSocketGateway(static _ => { });
            builder.Services.AddServerAuthentication(auth, jwt);
            builder.Services.AddQueryTokens(auth.AllowTokenInQuery);
            builder.Services.AddOpenApi("v1");
        }

        configure?.Invoke(builder);

        // 3. Map the endpoints. What every response needs comes first, then where a request comes from, then who sent it.
        var app = builder.Build();
        outageLogs.Follow(app.Services.GetRequiredService<StoreHealth>());

        // For requests over https, except for localhost, where other programs are served without it.
        app.UseHsts();
        app.UseFaultAnswers();
        app.UseLoopbackHosts();
        app.UseRouting();
        app.UseManagementPort(server.ManagementPort);
        app.MapHealth();
        var metrics = app.MapMetrics();
        if (server.Role != ServerRole.Silo)
        {
            app.UseServerAuthentication(auth, jwt);
            app.MapSocketGateway("/ws/{session_id}");
            app.MapSessionHttp();
            app.MapDocuments();
            app.MapPage();

            // The management port is for operators, who keep others away from it.
            if (server.ManagementPort is null)
            {
                metrics.RequireAdministration();
            }
        }

        app.GreetWhenStarted(server, responder, SessionStorage.Describe(cluster, sessions));
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
