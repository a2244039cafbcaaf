using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OrleansSessions.Conformance.Proxies;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The proxy of the drop-and-resume script, with servers that are not at the root of a plain address.</summary>
public sealed class FrameProxyTests
{
    private const byte TlsHandshake = 22;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public async Task Server_BelowAPath_IsReachedThroughTheProxy(string end)
    {
        await using var server = await StartAsync();
        await using var proxy = await ProxyAsync($"{server.Urls.Single()}/pre/fix{end}");
        using var socket = new ClientWebSocket();
        using var http = new HttpClient();

        await socket.ConnectAsync(new UriBuilder(proxy.Address) { Scheme = "ws", Path = "/ws/s", Query = "v=1" }.Uri, Token);
        var message = new byte[100];
        var frame = await socket.ReceiveAsync(message, Token);

        Assert.Equal("""{"type":"hello","query":"?v=1"}""", Encoding.UTF8.GetString(message, 0, frame.Count));
        Assert.Equal("the session", await http.GetStringAsync(new Uri(proxy.Address, "/v1/sessions/s"), Token));
    }

    [Fact]
    public async Task RefusedUpgrade_ReachesTheClient_WithItsBody()
    {
        await using var server = await StartAsync();
        await using var proxy = await ProxyAsync($"{server.Urls.Single()}/pre/fix");
        using var http = new HttpClient();
        using var upgrade = new HttpRequestMessage(HttpMethod.Get, new Uri(proxy.Address, "/ws/refused"))
        {
            Headers =
            {
                { "Connection", "Upgrade" }, { "Upgrade", "websocket" }, { "Sec-WebSocket-Version", "13" }, { "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==" },
            },
        };

        using var refused = await http.SendAsync(upgrade, Token);

        Assert.Equal((HttpStatusCode.TooManyRequests, "application/problem+json"), (refused.StatusCode, refused.Content.Headers.ContentType?.MediaType));
        Assert.Equal(TimeSpan.FromSeconds(7), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("""{"code":"connection_limit"}""", await refused.Content.ReadAsStringAsync(Token));
    }

    [Fact]
    public async Task Socket_ToAnHttpsServer_IsEncrypted()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using var proxy = await ProxyAsync($"https://{server.LocalEndpoint}");
        using var socket = new ClientWebSocket();

        var connecting = socket.ConnectAsync(new UriBuilder(proxy.Address) { Scheme = "ws", Path = "/ws/s" }.Uri, Token);
        using (var connection = await server.AcceptTcpClientAsync(Token))
        {
            var first = new byte[1];
            await connection.GetStream().ReadExactlyAsync(first, Token);

            Assert.Equal(TlsHandshake, first[0]);
        }

        await Assert.ThrowsAsync<WebSocketException>(() => connecting);
    }

    private static Task<FrameProxy> ProxyAsync(string server) => FrameProxy.StartAsync(new DamagePlan(new(server), Damage.None));

    private static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.UseWebSockets();
        app.Map("/pre/fix/ws/s", async (HttpContext context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var hello = $$"""{"type":"hello","query":"{{context.Request.QueryString}}"}""";
            await socket.SendAsync(Encoding.UTF8.GetBytes(hello), WebSocketMessageType.Text, endOfMessage: true, Token);
            // The proxy resets the client's connection when this one ends.
            await ((Task)socket.ReceiveAsync(new byte[1], Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        app.Map("/pre/fix/ws/refused", async (HttpContext context) =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (429, "application/problem+json");
            context.Response.Headers.RetryAfter = "7";
            await context.Response.WriteAsync("""{"code":"connection_limit"}""", Token);
        });
        app.Map("/pre/fix/v1/sessions/s", () => "the session");
        await app.StartAsync(Token);
        return app;
    }
}
