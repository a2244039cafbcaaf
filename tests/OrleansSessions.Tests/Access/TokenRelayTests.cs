using System.Buffers.Text;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>Tokens as subprotocols, as a page in a browser must send them.</summary>
public sealed class TokenRelayTests(AccessFixture nodes) : IClassFixture<AccessFixture>
{
    private SocketHost Host => nodes.Hosts[0];

    [Fact]
    public async Task ASubprotocol_CanHoldTheToken_AndIsNotEchoed()
    {
        await using var socket = await ConnectAsync("sessions.v1.json", "bearer." + Encode(TestTokens.Of("alice")));

        Assert.Equal("sessions.v1.json", socket.Raw.SubProtocol);
        Assert.Equal(120, (await socket.NextAsync("hello")).GetProperty("limits").GetProperty("asks_per_minute").GetInt32());
    }

    [Theory]
    [InlineData("sessions.v1.json", "bearer.")]
    [InlineData("sessions.v1.json", "bearer.%%%")]
    [InlineData("sessions.v1.json", "bearer.AAAA")]
    [InlineData("sessions.v1.json", "bearer.Z2FyYmFnZQ")]
    public async Task ATokenThatIsNotValid_IsRefused_AndSentInsideTheSocketToAPage(params string[] protocols)
    {
        await using var socket = await ConnectAsync(["http://" + Host.Address.Authority], protocols);

        Assert.Equal("sessions.v1.json", socket.Raw.SubProtocol);
        Assert.Equal("unauthorized", (await socket.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(4101, await socket.ClosedAsync());

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(protocols));
        Assert.Contains("401", refused.Message);
    }

    [Fact]
    public async Task AnExpiredToken_IsRefusedWith4005_AndANamedScopeWith4103()
    {
        var origin = new[] { "http://" + Host.Address.Authority };
        await using var late = await ConnectAsync(origin, "sessions.v1.json", "bearer." + Encode(TestTokens.Of("alice", expiresAt: DateTimeOffset.UnixEpoch)));
        Assert.Equal("token_expired", (await late.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(4005, await late.ClosedAsync());

        await using var curious = await TestSocket.ConnectAsync(Host.SocketAddress("/ws/s?scope="), options =>
        {
            options.SetRequestHeader("Origin", origin[0]);
            options.AddSubProtocol("sessions.v1.json");
            options.AddSubProtocol("bearer." + Encode(TestTokens.Of("alice")));
        });
        Assert.Equal("forbidden", (await curious.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(4103, await curious.ClosedAsync());
    }

    [Fact]
    public async Task ATokenAlone_IsNoProtocol()
    {
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync("bearer." + Encode(TestTokens.Of("alice"))));

        // The token was not read, so the caller is unknown.
        Assert.Contains("401", refused.Message);
    }

    [Theory]
    [InlineData("sessions.v1.json, bearer.YWxpY2U", "sessions.v1.json", "Bearer alice")]
    [InlineData("bearer.YWxpY2U,sessions.v1.json", "sessions.v1.json", "Bearer alice")]
    [InlineData("sessions.v1.json, bearer.YWxpY2U, other", "sessions.v1.json, other", "Bearer alice")]
    [InlineData("sessions.v1.json, bearer.YWxpY2U, bearer.Ym9i", "sessions.v1.json", "Bearer -")]
    [InlineData("sessions.v1.json, bearer.YQpi", "sessions.v1.json", "Bearer -")]
    [InlineData("sessions.v1.json, bearer.YSBi", "sessions.v1.json", "Bearer -")]
    [InlineData("sessions.v1.json, bearer.w6k", "sessions.v1.json", "Bearer -")]
    [InlineData("bearer.YWxpY2U", "bearer.YWxpY2U", "")]
    [InlineData("other, bearer.YWxpY2U", "other, bearer.YWxpY2U", "")]
    [InlineData("sessions.v1.json", "sessions.v1.json", "")]
    public void TheToken_MovesToTheHeader(string offered, string left, string authorization)
    {
        var headers = new DefaultHttpContext().Request.Headers;
        headers.SecWebSocketProtocol = offered;

        TokenRelay.Relay(headers);

        Assert.Equal((left, authorization), (headers.SecWebSocketProtocol.ToString(), headers.Authorization.ToString()));
    }

    [Fact]
    public void AHeader_WinsOverASubprotocol_WhichIsRemovedNevertheless()
    {
        var headers = new DefaultHttpContext().Request.Headers;
        headers.SecWebSocketProtocol = "sessions.v1.json, bearer.YWxpY2U";
        headers.Authorization = "Bearer bob";

        TokenRelay.Relay(headers);

        Assert.Equal(("sessions.v1.json", "Bearer bob"), (headers.SecWebSocketProtocol.ToString(), headers.Authorization.ToString()));
    }

    private Task<TestSocket> ConnectAsync(params string[] protocols) => ConnectAsync([], protocols);

    private Task<TestSocket> ConnectAsync(string[] origin, params string[] protocols) => TestSocket.ConnectAsync(Host.SocketAddress("/ws/s"), options =>
    {
        if (origin.Length > 0)
        {
            options.SetRequestHeader("Origin", origin[0]);
        }

        foreach (var protocol in protocols)
        {
            options.AddSubProtocol(protocol);
        }
    });

    private static string Encode(string token) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(token));
}
