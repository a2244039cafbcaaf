using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>The server behind nginx with TLS, as docs/security.md configures both.</summary>
public sealed class TlsProxyTests : IAsyncLifetime
{
    private const string Key = "4f1d0c6a3b7e48f2a95d6c1b8e7f0a23";
    private ServerProcess? _server;
    private TlsProxy? _proxy;

    private ServerProcess Server => _server!;

    private TlsProxy Proxy => _proxy!;

    public async ValueTask InitializeAsync()
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)));
        _server = await ServerProcess.StartWithAsync(
            new() { ["Logging__LogLevel__Microsoft.AspNetCore"] = "Information" },
            "Server:KnownProxies:0=127.0.0.1", $"AllowedHosts={TlsProxy.Host};127.0.0.1", $"Auth:ApiKeys:alice={hash}",
            "Responder:Echo:Delay=00:00:00", "Responder:Echo:InitialDelay=00:00:00");
        _proxy = await TlsProxy.StartAsync(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task ACallerWithAKey_AsksOverHttpAndOverASocket_AndOneWithoutIsRefused()
    {
        using var refused = await Proxy.Http.GetAsync(new Uri("/v1/sessions/s", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        using var asked = await AskAsync("hello over TLS", request => request.Headers.Add("X-Forwarded-For", "6.6.6.6"));
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        Assert.Equal("hello over TLS", (await asked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("text").GetString());

        using var socket = await ConnectAsync($"https://{Proxy.Address.Authority}");
        var buffer = new byte[4096];
        var hello = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        Assert.Contains("\"type\":\"hello\"", Encoding.UTF8.GetString(buffer, 0, hello.Count));
    }

    [Fact]
    public async Task OnlyAPageOfTheSameHost_ThatIsEncryptedToo_MayConnect()
    {
        using var same = await ConnectAsync($"https://{Proxy.Address.Authority}");
        Assert.Equal(WebSocketState.Open, same.State);

        foreach (var origin in new[] { $"http://{Proxy.Address.Authority}", "https://evil.example", "null" })
        {
            var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(origin));
            Assert.Contains("403", refused.Message);
        }
    }

    [Fact]
    public async Task WhereARequestComesFrom_IsWhatNginxSaw_AndNothingOfIt_IsLocal()
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/v1/sessions/s");
        request.Headers.Add("X-Forwarded-For", "6.6.6.6");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        using var refused = await Proxy.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        await Eventually("from 127.0.0.1: unauthorized");
        Assert.DoesNotContain("by anonymous, from 6.6.6.6", Server.Output);
    }

    [Fact]
    public async Task TheTokenInAnAddress_IsInNoLog()
    {
        using var refused = await Proxy.Http.GetAsync(new Uri($"/v1/sessions/s?access_token={Key}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var asked = await AskAsync("once more", _ => { });
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);

        await Eventually("Request finished");
        Assert.DoesNotContain(Key, Server.Output);
        Assert.DoesNotContain(Key, Proxy.AccessLog);
        Assert.Contains("/v1/sessions/s", Proxy.AccessLog);
    }

    [Theory]
    [InlineData("/metrics")]
    [InlineData("/metrics/")]
    [InlineData("/METRICS")]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/Health/ready/")]
    public async Task WhatIsForOperators_StaysInside(string path)
    {
        using var response = await Proxy.Http.GetAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task ALargeBody_ReachesTheServer_WhichLimitsIt()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sessions/s/questions") { Content = JsonContent.Create(new string('x', 3_000_000)) };
        request.Headers.Authorization = new("Bearer", Key);
        request.Headers.ExpectContinue = true;

        using var refused = await Proxy.Http.SendAsync(request);

        // nginx would send a page.
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Equal("message_too_large", (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task ThePage_HasTheHeadersOfAnEncryptedHost()
    {
        using var page = await Proxy.Http.GetAsync(new Uri("/", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("max-age", page.Headers.GetValues("Strict-Transport-Security").Single());
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single());
    }

    private async Task<HttpResponseMessage> AskAsync(string question, Action<HttpRequestMessage> configure)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sessions/s/questions") { Content = JsonContent.Create(new { question }) };
        request.Headers.Add("Prefer", "wait=20");
        request.Headers.Authorization = new("Bearer", Key);
        configure(request);
        return await Proxy.Http.SendAsync(request);
    }

    private async Task<ClientWebSocket> ConnectAsync(string origin)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", origin);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {Key}");
        socket.Options.AddSubProtocol("sessions.v1.json");
        await socket.ConnectAsync(Proxy.Socket("/ws/s"), Proxy.Invoker, CancellationToken.None);
        return socket;
    }

    private Task Eventually(string line) => TestKit.Clusters.Eventually.TrueAsync(
        () => Server.Output.Contains(line, StringComparison.Ordinal), $"the log has '{line}'");
}
