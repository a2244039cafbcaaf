using System.Net;
using System.Net.WebSockets;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.EndToEndTests.Access;

/// <summary>The server with authentication, as clients meet it: over HTTP, on sockets of programs and of pages, and on event streams.</summary>
public sealed class AccessTests(AccessServerFixture server) : IClassFixture<AccessServerFixture>
{
    private static readonly TestToken Good = new();

    public static TheoryData<string, string?> Refused => new()
    {
        { "unauthorized", null },
        { "unauthorized", "garbage" },
        { "unauthorized", Good.SignedWith("another-key-that-this-server-does-not-have") },
        { "unauthorized", (Good with { Issuer = "https://other.test" }).SignedWith(AccessServerFixture.Key) },
        { "unauthorized", (Good with { Audience = "elsewhere" }).SignedWith(AccessServerFixture.Key) },
        { "unauthorized", (Good with { NotBefore = TimeProvider.System.GetUtcNow().AddHours(1) }).SignedWith(AccessServerFixture.Key) },
        { "unauthorized", Good.WithoutSignature() },
        { "token_expired", (Good with { ExpiresAt = TimeProvider.System.GetUtcNow().AddHours(-1) }).SignedWith(AccessServerFixture.Key) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Caller_WithoutAValidToken_IsRefused_OverHttpOnSocketsAndEventStreams(string code, string? token)
    {
        var error = code == WireErrors.TokenExpired.Code ? WireErrors.TokenExpired : WireErrors.Unauthorized;
        var header = token is null ? [] : new[] { ("Authorization", $"Bearer {token}") };

        (await server.Http.CallAsync(HttpMethod.Get, "/v1/sessions/s", null, header)).IsError(error);
        (await server.Http.AskAsync("s", """{"question":"hello"}""", header)).IsError(error);
        (await server.Http.CallAsync(HttpMethod.Get, "/v1/sessions/s/events", null, [.. header, ("Accept", "text/event-stream")])).IsError(error);
        Assert.Equal(HttpStatusCode.Unauthorized, await UpgradeAsync(header));
        await using var page = await ConnectAsPageAsync(token);
        Assert.Equal(code, (await page.ExpectAsync("error")).Text("code"));
        Assert.Equal(error.AttachCloseCode, (await page.EndAsync()).Code);
    }

    [Theory]
    [InlineData(AccessServerFixture.PlainKey)]
    [InlineData(AccessServerFixture.AnswerKey)]
    [InlineData(null)]
    public async Task Caller_WithAToken_IsAnswered_OverHttpAndOnSockets(string? apiKey)
    {
        var token = apiKey ?? Good.SignedWith(AccessServerFixture.Key);
        var session = Names.Session();

        var answer = await server.Http.AskAsync(session, """{"question":"hello"}""", ("Authorization", $"Bearer {token}"), ("Prefer", "wait=10"));
        await using var page = await ConnectAsPageAsync(token, session);

        Assert.Equal((HttpStatusCode.OK, "hello"), (answer.Status, answer.Body.Text("text")));
        Assert.NotEqual(0, (await page.ExpectAsync("hello")).Number("seq"));
    }

    [Theory]
    [InlineData("POST", "/v1/sessions/s/response", """{"response":"text"}""", AccessServerFixture.PlainKey)]
    [InlineData("POST", "/v1/sessions/s/questions/q/answer", """{"attempt":1,"offset":0,"text":"text"}""", AccessServerFixture.AdminKey)]
    public async Task ApiKey_WithoutThePermission_IsDenied(string method, string path, string body, string key) =>
        (await server.Http.CallAsync(new HttpMethod(method), path, body, ("Authorization", $"Bearer {key}"))).IsError(WireErrors.PermissionDenied);

    [Fact]
    public async Task PythonClient_WithAnApiKey_IsAnswered()
    {
        PythonClient.SkipIfAbsent();

        var printed = await PythonClient.AskAsync(
            server.Server.Socket(Names.Session()).AbsoluteUri.TrimEnd('?'), "hello", TestContext.Current.CancellationToken,
            $"Authorization: Bearer {AccessServerFixture.PlainKey}");

        Assert.Equal("hello", printed.TrimEnd());
    }

    [Fact]
    public async Task TokenOfAnAuthority_IsAccepted_AndAnotherAuthoritysIsNot()
    {
        await using var authority = await TestAuthority.StartAsync();
        await using var other = await TestAuthority.StartAsync();
        await using var node = await ServerProcess.StartAsync($"Auth:Jwt:Authority={authority.Address}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}");

        var accepted = await node.Http.CallAsync(HttpMethod.Get, "/v1/sessions/s", null, ("Authorization", $"Bearer {authority.Issue(Good)}"));
        var refused = await node.Http.CallAsync(HttpMethod.Get, "/v1/sessions/s", null, ("Authorization", $"Bearer {other.Issue(Good)}"));

        accepted.IsError(WireErrors.SessionNotFound);
        refused.IsError(WireErrors.Unauthorized);
    }

    [Fact]
    public async Task Tokens_AreInNoLineOfTheLog_WhateverIsLogged()
    {
        await using var node = await ServerProcess.StartAsync(
            [.. AccessServerFixture.Settings, "Auth:AllowTokenInQuery=true", "Logging:LogLevel:Default=Trace", "Logging:LogLevel:Microsoft.AspNetCore=Trace"]);
        var token = Good.SignedWith(AccessServerFixture.Key);

        var read = await node.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/s?access%5Ftoken={token}", null);
        (await node.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/s/events?access_token={token}x", null, ("Accept", "text/event-stream")))
            .IsError(WireErrors.Unauthorized);
        await using var socket = await CheckedSocket.ConnectAsync(node.Socket("s", $"access_token={token}"));
        await socket.ExpectAsync("hello");

        read.IsError(WireErrors.Unauthorized);
        await TestKit.Clusters.Eventually.TrueAsync(() => node.Output.Contains("/ws/s", StringComparison.Ordinal), "the log has the request of the socket");
        Assert.DoesNotContain(token.Split('.')[1], node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[2], node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(AccessServerFixture.Key, node.Output, StringComparison.Ordinal);
    }

    private Task<CheckedSocket> ConnectAsPageAsync(string? token, string session = "s") =>
        CheckedSocket.ConnectAsync(server.Server.Socket(session), WireProfile.V1, options =>
        {
            options.AddSubProtocol(CheckedSocket.V1);
            options.SetRequestHeader("Origin", server.Server.Address.GetLeftPart(UriPartial.Authority));
            if (token is not null)
            {
                options.AddSubProtocol("bearer." + System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(token)));
            }
        });

    private async Task<HttpStatusCode> UpgradeAsync((string Name, string Value)[] headers)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        foreach (var (name, value) in headers)
        {
            socket.Options.SetRequestHeader(name, value);
        }

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(server.Server.Socket("s"), TestContext.Current.CancellationToken));
        return socket.HttpStatusCode;
    }
}
