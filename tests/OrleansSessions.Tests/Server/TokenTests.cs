using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.Tests.Server;

/// <summary>A server with shared keys and API keys: which tokens it takes, and how it refuses the others.</summary>
public sealed class TokenTests(TokenTests.Fixture fixture) : IClassFixture<TokenTests.Fixture>
{
    private const string OldKey = "the-old-key-which-is-still-listed";
    private const string NewKey = "the-new-key-that-replaces-the-old-one";
    private const string PlainKey = "an-api-key-without-permissions";
    private const string AdminKey = "an-api-key-of-an-administrator";

    private RunningServer Server => fixture.Server;

    public static TheoryData<string, string> Refused
    {
        get
        {
            var (good, now) = (new TestToken(), TimeProvider.System.GetUtcNow());
            return new()
            {
                { "no token of any kind", "" },
                { "garbage", "garbage" },
                { "three parts of garbage", "a.b.c" },
                { "a wrong key", good.SignedWith("a-key-that-this-server-has-never-seen") },
                { "a wrong key with the id of a listed one", (good with { KeyId = "new" }).SignedWith("a-key-that-this-server-has-never-seen") },
                { "a wrong issuer", (good with { Issuer = "https://other.test" }).SignedWith(NewKey) },
                { "no issuer", (good with { Issuer = null }).SignedWith(NewKey) },
                { "a wrong audience", (good with { Audience = "elsewhere" }).SignedWith(NewKey) },
                { "no audience", (good with { Audience = null }).SignedWith(NewKey) },
                { "not yet valid", (good with { NotBefore = now.AddHours(1) }).SignedWith(NewKey) },
                { "no expiry", (good with { ExpiresAt = null }).SignedWith(NewKey) },
                { "no signature", good.WithoutSignature() },
                { "a cut signature", good.SignedWith(NewKey)[..^4] },
                { "a changed subject", Change(good.SignedWith(NewKey)) },
                { "a wrong API key", PlainKey + "x" },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Token_ThatIsNotValid_IsUnauthorized_OverHttpAndOnSockets(string what, string token)
    {
        using var reply = await Server.DescribeAsync(token);
        await RunningServer.RefusedAsync(WireErrors.Unauthorized, reply);

        await using var page = await Server.ConnectAsPageAsync(token);
        Assert.Equal(WireErrors.Unauthorized.Code, (await page.ExpectAsync("error")).Text("code"));
        Assert.Equal((what, (int?)CloseCodes.Unauthorized), (what, (await page.EndAsync()).Code));

        Assert.Equal((what, HttpStatusCode.Unauthorized), (what, await UpgradeAsync(token)));
    }

    [Fact]
    public async Task NoToken_IsUnauthorized_AndSaysThatOneIsNeeded()
    {
        using var reply = await Server.DescribeAsync(token: null);

        var problem = await RunningServer.RefusedAsync(WireErrors.Unauthorized, reply);
        Assert.Contains("only callers with a token", problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ExpiredToken_IsTokenExpired_WithACloseCodeThatMeansComeBack()
    {
        var token = (new TestToken() with { ExpiresAt = TimeProvider.System.GetUtcNow().AddMinutes(-1) }).SignedWith(NewKey);

        using var reply = await Server.DescribeAsync(token);
        await RunningServer.RefusedAsync(WireErrors.TokenExpired, reply);
        await using var page = await Server.ConnectAsPageAsync(token);

        Assert.Equal(WireErrors.TokenExpired.Code, (await page.ExpectAsync("error")).Text("code"));
        Assert.Equal(CloseCodes.TokenExpired, (await page.EndAsync()).Code);
    }

    [Theory]
    [InlineData("with the new key")]
    [InlineData("with the new key, by its id")]
    [InlineData("with the old key, by its id")]
    [InlineData("with the old key")]
    [InlineData("for the second audience")]
    [InlineData("that has just expired")]
    [InlineData("that is valid soon")]
    [InlineData("that is a key")]
    [InlineData("that is an administrator's key")]
    public async Task Token_ThatIsValid_IsLetIn_OverHttpAndOnSockets(string kind)
    {
        var token = Accepted(kind);
        using var reply = await Server.DescribeAsync(token);
        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);

        await using var page = await Server.ConnectAsPageAsync(token);
        await page.ExpectAsync("hello");
    }

    [Fact]
    public async Task RotatedKey_IsRefused_OnceItIsNotListedAnyMore()
    {
        await using var later = await RunningServer.StartAsync(
            $"Auth:Jwt:Issuer={TestToken.DefaultIssuer}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}", $"Auth:Jwt:Keys:new={NewKey}");
        using var refused = await later.DescribeAsync((new TestToken() with { KeyId = "old" }).SignedWith(OldKey));
        using var accepted = await later.DescribeAsync(new TestToken().SignedWith(NewKey));

        await RunningServer.RefusedAsync(WireErrors.Unauthorized, refused);
        Assert.Equal(HttpStatusCode.NotFound, accepted.StatusCode);
    }

    [Fact]
    public async Task Base64Key_IsDecoded()
    {
        var key = RandomNumberGenerator.GetBytes(48);
        await using var server = await RunningServer.StartAsync(
            "Auth:Jwt:Issuer=i", "Auth:Jwt:Audience=a", $"Auth:Jwt:Keys:k=base64:{Convert.ToBase64String(key)}");

        using var reply = await server.DescribeAsync((new TestToken() with { Issuer = "i", Audience = "a" }).SignedWith(key));

        Assert.Equal(HttpStatusCode.NotFound, reply.StatusCode);
    }

    [Theory]
    [InlineData("text/event-stream", "/v1/sessions/s/events")]
    [InlineData("application/json", "/v1/sessions/s/questions")]
    public async Task Token_InTheQuery_IsNotUsed_UnlessTheServerAcceptsIt(string accept, string path)
    {
        using var reply = await Server.GetAsync($"{path}?access_token={PlainKey}", ("Accept", accept));

        await RunningServer.RefusedAsync(WireErrors.Unauthorized, reply);
    }

    [Theory]
    [InlineData(null, 401, "unauthorized")]
    [InlineData("garbage", 401, "unauthorized")]
    [InlineData(PlainKey, 403, "permission_denied")]
    [InlineData(AdminKey, 200, null)]
    public async Task Metrics_ForACallerFromElsewhere_NeedAdministration(string? token, int status, string? code)
    {
        // Whoever comes through a proxy is not local.
        using var reply = await Server.GetAsync(
            "/metrics", [("X-Forwarded-For", "192.0.2.7"), .. token is null ? [] : new[] { ("Authorization", $"Bearer {token}") }]);

        Assert.Equal(status, (int)reply.StatusCode);
        if (code is not null)
        {
            await RunningServer.RefusedAsync(status == 401 ? WireErrors.Unauthorized : WireErrors.PermissionDenied, reply);
        }
    }

    [Fact]
    public async Task Metrics_ForACallerOnThisMachine_NeedNoToken_AndHealthNever()
    {
        using var metrics = await Server.GetAsync("/metrics");
        using var health = await Server.GetAsync("/health/live", ("X-Forwarded-For", "192.0.2.7"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (metrics.StatusCode, health.StatusCode));
    }

    [Fact]
    public async Task Metrics_ForAForeignPage_AreForbidden()
    {
        using var reply = await Server.GetAsync("/metrics", ("Origin", "https://evil.example"), ("Authorization", $"Bearer {AdminKey}"));

        await RunningServer.RefusedAsync(WireErrors.Forbidden, reply);
    }

    /// <summary>Opens a socket as a program does, and returns the status of its refusal.</summary>
    private async Task<HttpStatusCode> UpgradeAsync(string token)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Server.Socket("/ws/s?v=1"), TestContext.Current.CancellationToken));
        return socket.HttpStatusCode;
    }

    /// <summary>Changes one character of the claims.</summary>
    private static string Change(string token)
    {
        var parts = token.Split('.');
        return $"{parts[0]}.{parts[1][..^1]}{(parts[1][^1] == 'A' ? 'B' : 'A')}.{parts[2]}";
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await RunningServer.StartAsync(
            $"Auth:Jwt:Issuer={TestToken.DefaultIssuer}", $"Auth:Jwt:Audience={TestToken.DefaultAudience}, sessions-too",
            $"Auth:Jwt:Keys:old={OldKey}", $"Auth:Jwt:Keys:new={NewKey}",
            $"Auth:ApiKeys:plain={Hash(PlainKey)}", $"Auth:ApiKeys:admin={Hash(AdminKey)} sessions:admin");

        public ValueTask DisposeAsync() => Server.DisposeAsync();

        private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }

    /// <summary>Made when it is used, because some tokens are valid for seconds only.</summary>
    private static string Accepted(string kind)
    {
        var (good, now) = (new TestToken(), TimeProvider.System.GetUtcNow());
        return kind switch
        {
            "with the new key" => good.SignedWith(NewKey),
            "with the new key, by its id" => (good with { KeyId = "new" }).SignedWith(NewKey),
            "with the old key, by its id" => (good with { KeyId = "old" }).SignedWith(OldKey),
            "with the old key" => good.SignedWith(OldKey),
            "for the second audience" => (good with { Audience = "sessions-too" }).SignedWith(NewKey),
            "that has just expired" => (good with { ExpiresAt = now.AddSeconds(-10) }).SignedWith(NewKey),
            "that is valid soon" => (good with { NotBefore = now.AddSeconds(10) }).SignedWith(NewKey),
            "that is a key" => PlainKey,
            _ => AdminKey,
        };
    }
}
