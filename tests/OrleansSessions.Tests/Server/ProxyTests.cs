using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Server.Hosting;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>What a proxy says about a request is believed only if the proxy is listed.</summary>
public sealed class ProxyTests
{
    private const string Listed = "Server:KnownProxies:0=127.0.0.1";
    private const string NotListed = "Server:KnownProxies:0=10.0.0.0/8";

    // Without it, a request that a proxy forwards is refused because it has no token.
    private const string Open = "Auth:AllowAnonymous=true";

    [Theory]
    [InlineData("10.0.0.7", "10.0.0.7/32")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("::1", "::1/128")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("10.0.0.1/8", "10.0.0.0/8")]
    [InlineData("10.0.0.0/33", null)]
    [InlineData("proxy.example.com", null)]
    [InlineData("*", null)]
    public void Proxy_IsAnAddressOrANetwork(string value, string? network) => Assert.Equal(network, KnownProxies.Parse(value)?.ToString());

    [Fact]
    public void TheFrameworksSwitch_WhichBelievesEveryone_IsAMistake()
    {
        var configuration = new Microsoft.Extensions.Configuration.ConfigurationManager { ["FORWARDEDHEADERS_ENABLED"] = "True" };
        Assert.Contains("Server:KnownProxies", KnownProxies.FindMistake(configuration), StringComparison.Ordinal);

        configuration["FORWARDEDHEADERS_ENABLED"] = "false";
        Assert.Null(KnownProxies.FindMistake(configuration));
    }

    [Theory]
    [InlineData("127.0.0.1 http 127.0.0.1")]
    [InlineData("127.0.0.1 http 127.0.0.1", NotListed)]
    [InlineData("192.0.2.7 https chat.example.com", Listed)]
    [InlineData("192.0.2.7 https chat.example.com", "Server:KnownProxies:0=127.0.0.0/8")]
    public async Task ForwardedHeaders_AreBelieved_OnlyFromAListedProxy(string expected, params string[] settings)
    {
        await using var server = await StartAsync([.. settings, "AllowedHosts=chat.example.com;127.0.0.1", Open]);

        using var reply = await server.GetAsync(
            "/seen", ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "chat.example.com"));

        Assert.Equal(expected, await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ClientThatForgesTheHeaderBeforeAProxy_IsSeenAtItsOwnAddress()
    {
        await using var server = await StartAsync(Listed, "Server:KnownProxies:1=192.0.2.1");

        // The client wrote the first address, the outer proxy the second, and the inner proxy the third.
        using var reply = await server.GetAsync("/seen", ("X-Forwarded-For", "10.9.9.9, 198.51.100.4, 192.0.2.1"), ("X-Forwarded-Host", "127.0.0.1"));

        Assert.StartsWith("198.51.100.4 ", await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "https://chat.example.com", Listed)]
    [InlineData(403, "http://chat.example.com", Listed)]
    [InlineData(403, "https://evil.example", Listed)]
    [InlineData(403, "https://chat.example.com", NotListed)]
    [InlineData(403, "https://chat.example.com")]
    public async Task PageOverHttps_BehindAProxyThatEndsTheEncryption_IsOfTheSameOrigin_OnlyIfTheProxyIsListed(
        int status, string origin, params string[] settings)
    {
        // The name is allowed here, so that only the origin decides.
        await using var server = await StartAsync([.. settings, "AllowedHosts=chat.example.com;127.0.0.1", Open]);

        using var reply = await server.GetAsync(
            "/v1/sessions/s", ("Origin", origin), ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "chat.example.com"));

        Assert.Equal(status, (int)reply.StatusCode);
    }

    [Fact]
    public async Task ForwardedHostOfAStranger_DoesNotHideTheHostThatWasCalled()
    {
        await using var server = await StartAsync(NotListed);

        using var reply = await server.GetAsync("/v1/sessions/s", ("Host", "evil.example"), ("X-Forwarded-Host", "localhost"));

        Assert.Contains("evil.example", (await RunningServer.RefusedAsync(WireErrors.Forbidden, reply)).Text("detail"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "chat.example.com", "192.0.2.7")]
    [InlineData(400, "evil.example", "192.0.2.7")]
    public async Task AllowedHosts_AreComparedWithTheHostThatTheProxyForwards(int status, string host, string client)
    {
        await using var server = await StartAsync(Listed, "AllowedHosts=chat.example.com", Open);

        using var reply = await server.GetAsync("/v1/sessions/s", ("X-Forwarded-For", client), ("X-Forwarded-Host", host));

        Assert.Equal(status, (int)reply.StatusCode);
    }

    [Fact]
    public async Task AllowedHosts_WithoutAProxy_AreComparedWithTheHostOfTheRequest()
    {
        await using var server = await StartAsync("AllowedHosts=chat.example.com", Open);

        using var allowed = await server.GetAsync("/v1/sessions/s", ("Host", "chat.example.com"));
        using var refused = await server.GetAsync("/v1/sessions/s", ("Host", "127.0.0.1"), ("X-Forwarded-Host", "chat.example.com"));

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.BadRequest), (allowed.StatusCode, refused.StatusCode));
        Assert.Equal("nosniff", Assert.Single(refused.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("X-Forwarded-Host", "localhost")]
    [InlineData("X-Forwarded-Port", "443")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Forwarded", "for=127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    public async Task RequestThroughAProxy_IsNotLocal_WhateverTheProxySays(string name, string value)
    {
        foreach (var settings in new string[][] { [], [Listed], [NotListed] })
        {
            await using var server = await StartAsync([.. settings, Open]);
            using var reply = await server.GetAsync("/metrics", (name, value));

            await RunningServer.RefusedAsync(WireErrors.PermissionDenied, reply);
        }
    }

    [Fact]
    public void Proxies_ThatAreNotAddresses_AreMistakes() => Assert.StartsWith(
        "Server:KnownProxies is 'proxy.example.com'; it must be an IP address",
        Assert.Single(Assert.Throws<ConfigurationErrorException>(() => ServerBuilder.Build(["--Server:KnownProxies:0=proxy.example.com"])).Errors),
        StringComparison.Ordinal);

    private static Task<RunningServer> StartAsync(params string[] settings) => RunningServer.StartAsync(
        null,
        app => app.MapGet("/seen", (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.Request.Scheme} {context.Request.Host.Host}"),
        settings);
}
