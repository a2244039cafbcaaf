using System.Net;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using OrleansSessions.Grains;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Sessions in another application's host, as the README shows.</summary>
public sealed class EmbeddingTests
{
    [Fact]
    public async Task AnEmbeddingHost_AnswersWithItsOwnResponderAndRules()
    {
        await using var app = await StartAsync();
        var address = new Uri(app.Urls.First());
        var sockets = new UriBuilder(address) { Scheme = "ws", Path = "/chat/s1" }.Uri;

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => TestSocket.ConnectAsync(sockets));
        await using var socket = await TestSocket.ConnectAsync(sockets, options => options.SetRequestHeader("X-Key", "open"));
        await socket.SendAsync("""{"question":"Will it rain?"}""");
        var response = await socket.NextAsync("response");

        Assert.Contains("401", refused.Message);
        Assert.Equal("Will it rain? No.", response.GetProperty("data").GetString());
    }

    [Fact]
    public async Task TheOptionsOfAnEmbeddedHost_AreUnderTheirPrefix()
    {
        await using var app = await StartAsync();

        Assert.Equal(TimeSpan.FromSeconds(7), app.Services.GetRequiredService<IOptions<SessionsOptions>>().Value.SilenceTimeout);
    }

    [Fact]
    public async Task EachEndpoint_BehindRequireAuthorization_RefusesACallerWithoutAKey_ButAnswersAPreflight()
    {
        await using var app = await StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var seen = 0;
        foreach (var endpoint in app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            var path = endpoint.RoutePattern.RawText!.Replace("{**rest}", "nowhere", StringComparison.Ordinal)
                .Replace("{id}", "s1", StringComparison.Ordinal).Replace("{session_id}", "s1", StringComparison.Ordinal)
                .Replace("{qid}", "q-1", StringComparison.Ordinal).Replace("{scope}", "s.x", StringComparison.Ordinal);
            foreach (var method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET", "PUT"])
            {
                var isPreflight = method == "OPTIONS";
                using var refused = await SendAsync(http, method, path, key: null);
                using var passed = await SendAsync(http, method, path, key: "open");

                Assert.Equal((method, path, isPreflight ? HttpStatusCode.NoContent : HttpStatusCode.Unauthorized), (method, path, refused.StatusCode));
                Assert.NotEqual(HttpStatusCode.Unauthorized, passed.StatusCode);
                seen += isPreflight ? 0 : 1;
            }
        }

        // Eleven requests of the protocol. In addition, two methods each: of the socket, the other
        // methods of nine addresses, and all other addresses below /v1/sessions and /v1/scopes.
        Assert.Equal(35, seen);
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null)
        {
            request.Headers.Add("X-Key", key);
        }

        if (method == "POST")
        {
            request.Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        }

        // An event stream has no end, so only the headers are awaited.
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void AHostWithASocketGatewayOnly_ReadsTheSessionsLimitsToo()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["OrleansSessions:Sessions:MaxQuestionBytes"] = "5" }).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSocketGateway().BuildServiceProvider();

        Assert.Equal(5, services.GetRequiredService<IOptions<SessionsOptions>>().Value.MaxQuestionBytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AHostsOwnPubSubStore_IsNotReplaced(bool isFirst)
    {
        var own = new GatedStorage();
        var builder = WebApplication.CreateBuilder();
        builder.Host.UseOrleans(orleans =>
        {
            orleans.UseLocalhostClustering(FreePort.Take(), FreePort.Take());
            if (!isFirst)
            {
                orleans.AddSessionGrains();
            }

            orleans.Services.AddKeyedSingleton<IGrainStorage>("PubSubStore", own);
            orleans.AddSessionGrains();
        });
        await using var app = builder.Build();

        Assert.Same(own, app.Services.GetRequiredKeyedService<IGrainStorage>("PubSubStore"));
    }

    private static async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["OrleansSessions:Responder:Name"] = "weather",
            ["OrleansSessions:Sessions:SilenceTimeout"] = "00:00:07",
        });
        var (silo, gateway) = (FreePort.Take(), FreePort.Take());
        builder.Host.UseOrleans(orleans => orleans.UseLocalhostClustering(silo, gateway).AddSessionGrains().AddSessionGrains());
        builder.Services.AddResponder<Weather>("weather");
        builder.Services.AddSocketGateway().AddSocketGateway();
        builder.Services.AddAuthentication("key").AddScheme<AuthenticationSchemeOptions, KeyHandler>("key", null);
        builder.Services.AddAuthorization();

        var app = builder.Build();
        app.MapSocketGateway("/chat/{session_id}").RequireAuthorization();
        app.MapSessionHttp().RequireAuthorization();
        await app.StartAsync();
        return app;
    }

    private sealed class KeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers["X-Key"] == "open"
                ? AuthenticateResult.Success(new(
                    new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, "someone")], "key")), Scheme.Name))
                : AuthenticateResult.NoResult());
    }

    private sealed class Weather : IResponder
    {
        public async IAsyncEnumerable<AnswerPiece> AnswerAsync(ResponderContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return AnswerPiece.Of(context.Question);
            await Task.Yield();
            yield return AnswerPiece.Of(" No.");
        }
    }
}
