using System.Net;
using OrleansSessions.Server.Hosting;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>The whole host, in this process, on free ports.</summary>
public sealed class ServerTests
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Management_OnAPortOfItsOwn_IsFoundNowhereElse()
    {
        var token = TestContext.Current.CancellationToken;
        var port = FreePort.Take();
        await using var app = ServerBuilder.Build(
            [
                "--urls", "http://127.0.0.1:0", $"--Server:ManagementPort={port}", $"--Auth:ApiKeys:a={new string('0', 64)}",
                "--Sessions:Persistence=Memory", "--Logging:LogLevel:Default=Warning",
            ]);
        await app.StartAsync(token);
        var main = app.Urls.Single(url => new Uri(url).Port != port);
        var management = $"http://127.0.0.1:{port}";

        Assert.Equal(HttpStatusCode.OK, await GetAsync($"{management}/health/live", token));
        Assert.Equal(HttpStatusCode.OK, await GetAsync($"{management}/metrics", token));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"{main}/health/live", token));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"{main}/metrics", token));
        Assert.Equal(HttpStatusCode.OK, await GetAsync($"{main}/openapi/v1.json", token));
        Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"{management}/openapi/v1.json", token));
        await app.StopAsync(token);
    }

    [Fact]
    public async Task Documents_AreServed_AndKnownByTheirTag()
    {
        var token = TestContext.Current.CancellationToken;
        await using var app = ServerBuilder.Build(["--urls", "http://127.0.0.1:0", "--Sessions:Persistence=Memory", "--Logging:LogLevel:Default=Warning"]);
        await app.StartAsync(token);

        using var first = await Http.GetAsync($"{app.Urls.Single()}/asyncapi.json", token);
        Assert.Equal("application/json", first.Content.Headers.ContentType?.MediaType);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"{app.Urls.Single()}/asyncapi.json");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await Http.SendAsync(request, token);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        await app.StopAsync(token);
    }

    [Fact]
    public async Task Page_IsServedFromInsideTheExecutable_AndMayLoadNothingFromElsewhere()
    {
        var token = TestContext.Current.CancellationToken;
        await using var app = ServerBuilder.Build(["--urls", "http://127.0.0.1:0", "--Sessions:Persistence=Memory", "--Logging:LogLevel:Default=Warning"]);
        await app.StartAsync(token);

        using var page = await Http.GetAsync(app.Urls.Single(), token);
        using var script = await Http.GetAsync($"{app.Urls.Single()}/app.js", token);

        Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType?.ToString());
        Assert.Equal("text/javascript; charset=utf-8", script.Content.Headers.ContentType?.ToString());
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        await app.StopAsync(token);
    }

    private static async Task<HttpStatusCode> GetAsync(string url, CancellationToken token)
    {
        // Through a proxy, so not local: what is served without a token is served to everyone.
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("X-Forwarded-For", "192.0.2.7");
        using var response = await Http.SendAsync(request, token);
        return response.StatusCode;
    }
}
