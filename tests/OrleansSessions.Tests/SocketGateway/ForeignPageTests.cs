using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Logs;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A page of an unknown origin can neither ask, answer, cancel, read nor remove.</summary>
public sealed class ForeignPageTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const string Evil = "https://evil.example";

    private readonly string _session = GatewayFixture.NewSession();

    private string Base => $"/v1/sessions/{_session}";

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    public static TheoryData<string, string, string?> Requests => new()
    {
        { "POST", "/questions", """{"question":"mine","if_busy":"replace"}""" },
        { "POST", "/response", """{"response":"forged"}""" },
        { "POST", "/questions/q-1/answer", """{"attempt":1,"offset":0,"text":"forged","final":true}""" },
        { "POST", "/questions/q-1/cancel", null },
        { "DELETE", "", null },
        { "GET", "", null },
        { "GET", "/questions", null },
        { "GET", "/questions/q-1", null },
        { "OPTIONS", "/questions", null },
        { "PATCH", "", null },
        { "GET", "/nowhere", null },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task AnyRequest_FromAForeignOrigin_IsForbidden_AndTheQuestionStaysOpen(string method, string path, string? body)
    {
        await AskAsync();
        foreach (var origin in new[] { Evil, "null", "", $"{Evil}, http://{gateway.Host.Address.Authority}", $"ftp://{gateway.Host.Address.Authority}" })
        {
            foreach (var type in new[] { null, "text/plain", "application/json" })
            {
                using var reply = await SendAsync(method, path, body, type, origin);

                Assert.Equal("forbidden", (await ProblemAsync(reply, HttpStatusCode.Forbidden)).GetProperty("code").GetString());
                Assert.False(reply.Headers.Contains("Access-Control-Allow-Origin"));
                Assert.Contains("Origin", reply.Headers.Vary);
            }
        }

        await IsUntouchedAsync();
    }

    [Theory]
    [InlineData("/questions", """{"question":"mine","if_busy":"replace"}""")]
    [InlineData("/response", """{"response":"forged"}""")]
    [InlineData("/questions/q-1/answer", """{"attempt":1,"offset":0,"text":"forged","final":true}""")]
    public async Task ABody_WithoutAJsonContentType_IsUnsupported_AndTheQuestionStaysOpen(string path, string body)
    {
        await AskAsync();
        string?[] types = [null, "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", ""];
        foreach (var type in types)
        {
            using var reply = await SendAsync("POST", path, body, type, origin: null);

            Assert.Equal("unsupported_media_type", (await ProblemAsync(reply, HttpStatusCode.UnsupportedMediaType)).GetProperty("code").GetString());
        }

        await IsUntouchedAsync();
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON; charset=utf-8")]
    [InlineData("application/vnd.example+json")]
    public async Task ABody_WithAJsonContentType_IsRead(string type)
    {
        using var reply = await SendAsync("POST", "/questions", $$"""{"question":"{{_session}}"}""", type, origin: null);

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    [Fact]
    public async Task APageOfTheServersOwnHost_IsServed()
    {
        using var reply = await SendAsync(
            "POST", "/questions", $$"""{"question":"{{_session}}"}""", "application/json", $"http://{gateway.Host.Address.Authority}");

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:5080")]
    [InlineData("localhost.evil.example")]
    [InlineData("192.0.2.7")]
    public async Task ANameThatResolvesToLoopback_IsForbidden_OnSocketsAndOverHttp(string host)
    {
        await AskAsync();
        using var reply = await SendAsync("DELETE", "", null, null, $"http://{host}", host);
        var problem = await ProblemAsync(reply, HttpStatusCode.Forbidden);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Host", host);
        socket.Options.SetRequestHeader("Origin", $"http://{host}");
        await Assert.ThrowsAsync<WebSocketException>(
            () => socket.ConnectAsync(gateway.Host.SocketAddress($"/ws/{_session}"), TestContext.Current.CancellationToken));

        Assert.Equal("forbidden", problem.GetProperty("code").GetString());
        Assert.Contains(host, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("AllowedHosts", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
        await IsUntouchedAsync();
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("app.localhost:1")]
    [InlineData("127.3.2.1:99")]
    [InlineData("[::1]:99")]
    [InlineData("chat.example")]
    [InlineData("a.chats.example:8443")]
    [InlineData("page.example")]
    public async Task ALoopbackName_AndANameThatWasConfigured_AreServed(string host)
    {
        await using var server = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, options => options.AllowedOrigins = ["https://page.example:9"], isReady: false,
            builder =>
            {
                builder.Configuration.AddInMemoryCollection([new("AllowedHosts", "*;chat.example;*.chats.example")]);
                builder.Services.Configure<AuthOptions>(auth => auth.AllowAnonymous = true);
            });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Base}/questions");
        request.Headers.Host = host;
        using var reply = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
    }

    [Fact]
    public async Task ARefusedOrigin_IsNamedToTheClient_WithTheHostAndTheKey_AndLoggedOnce()
    {
        using var log = new RecordedLog();
        await using var server = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, isReady: false, configureHost: builder => builder.Logging.AddProvider(log));
        var seen = new List<string>();
        foreach (var origin in new[] { Evil, Evil, "https://two.example", "https://bad\u007fline.example" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Base);
            request.Headers.TryAddWithoutValidation("Origin", origin);
            using var reply = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
            seen.Add((await ProblemAsync(reply, HttpStatusCode.Forbidden)).GetProperty("detail").GetString()!);
        }

        Assert.Contains(Evil, seen[0], StringComparison.Ordinal);
        Assert.Contains(server.Address.Authority, seen[0], StringComparison.Ordinal);
        Assert.Contains("SocketGateway:AllowedOrigins", seen[0], StringComparison.Ordinal);
        var lines = log.From("AccessLog").Select(line => line.Message).ToList();
        Assert.Equal(3, lines.Count);
        Assert.Single(lines, line => line.Contains(Evil, StringComparison.Ordinal) && line.Contains("SocketGateway:AllowedOrigins", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains('\u007f', StringComparison.Ordinal));
    }

    private async Task AskAsync()
    {
        using var reply = await SendAsync("POST", "/questions", $$"""{"question":"{{_session}}","id":"q-1"}""", "application/json", origin: null);
        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
    }

    private async Task IsUntouchedAsync()
    {
        var state = await gateway.Host.Http.GetFromJsonAsync<JsonElement>(Base, TestContext.Current.CancellationToken);
        var open = Assert.Single(state.GetProperty("open").EnumerateArray());
        Assert.Equal(("q-1", 0), (open.GetProperty("question_id").GetString(), open.GetProperty("bytes").GetInt32()));
        Assert.Equal(1, state.GetProperty("seq").GetInt32());
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? body, string? type, string? origin, string? host = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Base + path);
        request.Headers.Host = host;
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (type is not null)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            }
        }

        return await gateway.Host.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonElement> ProblemAsync(HttpResponseMessage reply, HttpStatusCode expected)
    {
        Assert.Equal(expected, reply.StatusCode);
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
        return await reply.Content.ReadFromJsonAsync<JsonElement>();
    }
}
