using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.Conformance.Clients;

/// <summary>A server that does what the scene of each session says. One serves all scenes.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ClientScene> _scenes = new();

    private ScriptedServer(WebApplication app) => _app = app;

    /// <summary>The address of the server, with a path of its own: a client must keep it.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    public static async Task<ScriptedServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        // An interrupt is the tool's to handle: it ends the clients first.
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        var app = builder.Build();
        var server = new ScriptedServer(app);
        app.UseWebSockets(new() { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        app.Map("/base/ws/{session}", server.OnUpgradeAsync);
        app.Map("/base/v1/sessions/{session}/{**rest}", server.OnRequestAsync);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        server.Address = new(new Uri(address), "base");
        return server;
    }

    public void Add(ClientScene scene) => _scenes[scene.Session] = scene;

    public void Remove(ClientScene scene) => _scenes.TryRemove(scene.Session, out _);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private Task OnUpgradeAsync(HttpContext context) =>
        Find(context) is { } scene ? scene.OnUpgradeAsync(context) : RefuseAsync(context);

    private Task OnRequestAsync(HttpContext context) =>
        Find(context) is { } scene ? scene.Http.OnRequestAsync(context) : RefuseAsync(context);

    private ClientScene? Find(HttpContext context) => _scenes.GetValueOrDefault((string)context.GetRouteValue("session")!);

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
