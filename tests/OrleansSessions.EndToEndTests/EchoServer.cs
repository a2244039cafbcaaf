using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansSessions.Grains;
using OrleansSessions.Grains.Responders;
using OrleansSessions.SocketGateway;
using Xunit;

namespace OrleansSessions.EndToEndTests;

/// <summary>Sessions embedded in a host of the test's own, on real Kestrel: echo, a word each 30 ms, and clients told to come back at once.</summary>
public sealed class EchoServer : IAsyncLifetime
{
    private WebApplication? _app;

    public string SocketUrl(string session) => $"{BaseUrl.Replace("http", "ws", StringComparison.Ordinal)}/ws/{session}";

    private string BaseUrl => _app!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddBuiltInResponders();
        builder.Services.Configure<EchoOptions>(options => options.Delay = TimeSpan.FromMilliseconds(30));
        builder.Services.AddSocketGateway(options =>
        {
            options.ReconnectMin = TimeSpan.FromMilliseconds(10);
            options.ReconnectMax = TimeSpan.FromMilliseconds(50);
        });
        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(FreePort.Take(), FreePort.Take())
            .AddSessionGrains());
        _app = builder.Build();
        _app.UseWebSockets();
        _app.MapSocketGateway();
        _app.MapSessionHttp();
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }
}
