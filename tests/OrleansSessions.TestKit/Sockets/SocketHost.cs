using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.Clustering;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Clusters;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>An in-process socket gateway: real Kestrel on a free port, with the test's cluster behind it.</summary>
public sealed class SocketHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SocketHost(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Http = new HttpClient { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<SocketHost> StartAsync(
        IClusterClient client, Action<SocketGatewayOptions>? configure = null, bool isReady = true, Action<WebApplicationBuilder>? configureHost = null,
        Action<IEndpointConventionBuilder>? configureEndpoints = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(client);
        builder.Services.AddSingleton<IGrainFactory>(client);
        builder.Services.Configure<DrainOptions>(drain => drain.Timeout = TimeSpan.Zero);
        configureHost?.Invoke(builder);
        builder.Services.AddSocketGateway(options =>
        {
            // Most tests send faster than any person.
            options.MaxMessagesPerMinute = 0;
            configure?.Invoke(options);
        });
        builder.Services.AddSocketGateway(_ => { });
        var app = builder.Build();
        var sockets = app.MapSocketGateway();
        var http = app.MapSessionHttp();
        configureEndpoints?.Invoke(sockets);
        configureEndpoints?.Invoke(http);
        await app.StartAsync();
        var host = new SocketHost(app);
        if (isReady)
        {
            var readiness = app.Services.GetRequiredService<SocketGatewayHealthCheck>();
            await Eventually.TrueAsync(() => readiness.IsReady, "the socket gateway receives the heartbeats of the silos");
        }

        return host;
    }

    public Task<TestSocket> ConnectV1Async(string session, string query = "") =>
        TestSocket.ConnectAsync(SocketAddress($"/ws/{session}?v=1{query}"));

    public Task<TestSocket> ConnectBasicAsync(string session) => TestSocket.ConnectAsync(SocketAddress($"/ws/{session}"));

    public Uri SocketAddress(string pathAndQuery) => new($"ws://{Address.Authority}{pathAndQuery}");

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
