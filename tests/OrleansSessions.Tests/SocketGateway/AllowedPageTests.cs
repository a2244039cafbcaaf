using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A page of an allowed origin receives the CORS headers that browsers require. Other requests receive the right refusal.</summary>
public sealed class AllowedPageTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const string Page = "https://page.example";

    private readonly string _session = GatewayFixture.NewSession();
    private SocketHost _host = null!;

    private string Base => $"/v1/sessions/{_session}";

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        _host = await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, options => options.AllowedOrigins = [Page, "*"], isReady: false);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("POST", "/questions")]
    [InlineData("GET", "/questions/q-1")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/questions/q-1/cancel")]
    [InlineData("POST", "/questions/q-1/answer")]
    [InlineData("POST", "/response")]
    public async Task APreflight_IsAnswered_WithWhatTheClientSectionNeeds(string method, string path)
    {
        using var reply = await SendAsync(
            HttpMethod.Options, path, Page, ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "content-type,idempotency-key"));

        Assert.Equal(HttpStatusCode.NoContent, reply.StatusCode);
        Assert.Equal(Page, One(reply, "Access-Control-Allow-Origin"));
        Assert.Equal("true", One(reply, "Access-Control-Allow-Credentials"));
        Assert.Contains(method, One(reply, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Equal("Content-Type,Idempotency-Key,Prefer,Authorization,Last-Event-ID", One(reply, "Access-Control-Allow-Headers"));
        Assert.Equal("600", One(reply, "Access-Control-Max-Age"));
        Assert.Equal(["Origin"], reply.Headers.Vary);
    }

    [Fact]
    public async Task AnAnswer_CanBeReadByThePage_AndARefusalToo()
    {
        using var asked = await SendAsync(HttpMethod.Post, "/questions", Page, body: $$"""{"question":"{{_session}}","id":"q-1"}""");
        using var busy = await SendAsync(HttpMethod.Post, "/questions", Page, body: """{"question":"other"}""");
        using var unknown = await SendAsync(HttpMethod.Put, "", Page);

        Assert.Equal(
            (HttpStatusCode.Accepted, HttpStatusCode.Conflict, HttpStatusCode.MethodNotAllowed), (asked.StatusCode, busy.StatusCode, unknown.StatusCode));
        foreach (var reply in new[] { asked, busy, unknown })
        {
            Assert.Equal(Page, One(reply, "Access-Control-Allow-Origin"));
            Assert.Equal("Location,Retry-After", One(reply, "Access-Control-Expose-Headers"));
            Assert.Equal(["Origin"], reply.Headers.Vary);
        }
    }

    [Fact]
    public async Task AnyPage_IfAllAreAllowed_GetsNoCredentials()
    {
        using var reply = await SendAsync(HttpMethod.Get, "/questions", "https://other.example");

        Assert.Equal("*", One(reply, "Access-Control-Allow-Origin"));
        Assert.False(reply.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Equal(["Origin"], reply.Headers.Vary);
    }

    [Fact]
    public async Task ARequestWithoutAnOrigin_GetsNoCorsHeaders()
    {
        using var reply = await SendAsync(HttpMethod.Get, "/questions", null);

        Assert.False(reply.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(["Origin"], reply.Headers.Vary);
    }

    [Fact]
    public async Task AnotherMethod_OnTheAddressOfASocket_IsAProblem_Too()
    {
        using var reply = await gateway.Host.Http.PostAsync($"/ws/{GatewayFixture.NewSession()}", null, TestContext.Current.CancellationToken);

        Assert.Equal("method_not_allowed", (await ProblemAsync(reply, HttpStatusCode.MethodNotAllowed)).GetProperty("code").GetString());
        Assert.Equal(["GET"], reply.Content.Headers.Allow);
    }

    [Theory]
    [InlineData("PUT", "", "GET, DELETE")]
    [InlineData("DELETE", "/questions", "GET, POST")]
    [InlineData("POST", "/questions/q-1", "GET")]
    [InlineData("GET", "/questions/q-1/cancel", "POST")]
    [InlineData("GET", "/questions/q-1/answer", "POST")]
    [InlineData("GET", "/response", "POST")]
    public async Task AnotherMethod_IsAProblem_ThatNamesThoseThereAre(string method, string path, string allow)
    {
        using var reply = await SendAsync(new(method), path, null);
        using var options = await SendAsync(HttpMethod.Options, path, null);

        Assert.Equal("method_not_allowed", (await ProblemAsync(reply, HttpStatusCode.MethodNotAllowed)).GetProperty("code").GetString());
        Assert.Equal(allow, string.Join(", ", reply.Content.Headers.Allow));
        Assert.Equal((HttpStatusCode.NoContent, allow), (options.StatusCode, string.Join(", ", options.Content.Headers.Allow)));
    }

    [Theory]
    [InlineData("POST", "/v1/scopes")]
    [InlineData("DELETE", "/v1/scopes/")]
    [InlineData("GET", "/v1/sessions/s/nowhere")]
    [InlineData("DELETE", "/v1/sessions/s/questions/q/answer/more")]
    public async Task AnUnknownAddress_IsAProblem(string method, string path)
    {
        using var request = new HttpRequestMessage(new(method), path);
        using var reply = await _host.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal("not_found", (await ProblemAsync(reply, HttpStatusCode.NotFound)).GetProperty("code").GetString());
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? origin, (string Name, string Value) first = default, (string Name, string Value) second = default,
        string? body = null)
    {
        using var request = new HttpRequestMessage(method, Base + path);
        foreach (var (name, value) in new[] { ("Origin", origin), first, second })
        {
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await _host.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string One(HttpResponseMessage reply, string header) => Assert.Single(reply.Headers.GetValues(header));

    private static async Task<JsonElement> ProblemAsync(HttpResponseMessage reply, HttpStatusCode expected)
    {
        Assert.Equal(expected, reply.StatusCode);
        Assert.Equal("application/problem+json", reply.Content.Headers.ContentType?.MediaType);
        return await reply.Content.ReadFromJsonAsync<JsonElement>();
    }
}
