using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>Tokens that expire while their socket is open. The clock of the socket gateway is the test's.</summary>
public sealed class TokenExpiryTests(GatewayFixture gateway) : IAsyncLifetime
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(57));
    private readonly string _session = GatewayFixture.NewSession();
    private SocketHost? _host;

    private SocketHost Host => _host!;

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        _host = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, options => options.HeartbeatInterval = TimeSpan.FromHours(1), isReady: false, configureHost: builder =>
            {
                builder.AddTestTokens();
                builder.Services.AddSingleton<TimeProvider>(_clock);
            });
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? default;

    [Fact]
    public async Task ASocket_IsToldAMinuteBefore_TakesAFreshToken_AndStays()
    {
        await using var socket = await ConnectAsync(Token("alice"));
        var hello = await socket.NextAsync("hello");
        Assert.Equal(Life.TotalMilliseconds, hello.GetProperty("token_expires_in_ms").GetInt64());
        Assert.Contains("auth", hello.GetProperty("features").EnumerateArray().Select(feature => feature.GetString()));

        _clock.Advance(Life - TimeSpan.FromSeconds(59.5));
        var expiring = await NextAsync(socket);
        Assert.Equal("expiring", expiring.Type());
        Assert.InRange(expiring.GetProperty("in_ms").GetInt64(), 1, 60_000);

        await SendTokenAsync(socket, Token("alice"));

        // ASP.NET Core keeps the end of a token in whole seconds.
        var authenticated = await socket.NextAsync("authenticated");
        Assert.InRange(authenticated.GetProperty("expires_in_ms").GetInt64(), Life.TotalMilliseconds - 1000, Life.TotalMilliseconds);

        // The end of the first token passes, and the next thing that is sent is the notice for the second.
        _clock.Advance(Life - TimeSpan.FromSeconds(59.5));
        Assert.Equal("expiring", (await NextAsync(socket)).Type());
    }

    [Fact]
    public async Task WithoutAFreshToken_TheSocketIsClosedWith4005_AndComesBackWithOne()
    {
        await using var socket = await ConnectAsync(Token("alice"));
        await socket.NextAsync("hello");

        _clock.Advance(Life);
        var error = await NextAsync(socket);

        Assert.Equal(("error", "token_expired"), (error.Type(), error.GetProperty("code").GetString()));
        Assert.Equal(4005, await socket.ClosedAsync());
        await using var back = await ConnectAsync(Token("alice"));
        await back.NextAsync("hello");
    }

    [Fact]
    public async Task ABasicSocket_IsClosedWith4005_WithoutAFrame()
    {
        await using var socket = await ConnectAsync(Token("alice"), "");
        var metrics = Host.Services.GetRequiredService<OrleansSessions.SocketGateway.Telemetry.SocketGatewayMetrics>();
        await Eventually.TrueAsync(() => metrics.ActiveConnections == 1, "it is open");

        _clock.Advance(Life);
        var closed = socket.ClosedAsync();
        await TickUntilAsync(closed);

        Assert.Equal(4005, await closed);
    }

    [Fact]
    public async Task AnEventStream_EndsWithTokenExpired()
    {
        await using var stream = await EventStreamClient.OpenAsync(Host.Http, $"/v1/sessions/{_session}/events", token: Token("alice"));
        await stream.NextAsync("hello");

        _clock.Advance(Life);
        var rest = stream.RestAsync();
        await TickUntilAsync(rest);

        Assert.Equal("token_expired", (await rest)[^1].Frame.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("bob", "", "", "forbidden")]
    [InlineData("alice", "", "acme", "authenticated")]
    [InlineData("", "", "", "unauthorized")]
    public async Task AToken_IsTaken_OnlyFromTheSameCaller(string subject, string permissions, string tenant, string outcome)
    {
        await using var socket = await ConnectAsync(Token("alice"));
        await socket.NextAsync("hello");

        await SendTokenAsync(socket, subject.Length == 0 ? "garbage" : TestTokens.Of(subject, permissions, tenant, _clock.GetUtcNow() + Life));
        var reply = await socket.NextAsync();
        Assert.Equal(outcome, reply.Type() == "error" ? reply.GetProperty("code").GetString() : reply.Type());

        // The socket goes on with what it had.
        await socket.SendAsync("""{"type":"ping"}""");
        await socket.NextAsync("ping");
    }

    [Theory]
    [InlineData("expired", "token_expired")]
    [InlineData(TestTokens.Uncheckable, "internal")]
    [InlineData(TestTokens.Crashing, "internal")]
    public async Task ATokenInAMessage_ThatHasExpired_OrCannotBeChecked_LeavesTheEarlierOneInForce(string token, string code)
    {
        await using var socket = await ConnectAsync(Token("alice"));
        await socket.NextAsync("hello");

        await SendTokenAsync(socket, token == "expired" ? TestTokens.Of("alice", expiresAt: _clock.GetUtcNow() - TimeSpan.FromSeconds(1)) : token);
        var error = await socket.NextAsync("error");
        Assert.Equal((code, "token"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));

        await SendTokenAsync(socket, Token("alice"));
        await socket.NextAsync("authenticated");
    }

    [Fact]
    public void ATokenThatIsAcceptedAfterItsEnd_LivesAsLongAsTheNoticeBeforeAnEnd()
    {
        TokenLife Of(TimeSpan left) => TokenLife.Of(CallerIdentity.Local with { ExpiresAt = _clock.GetUtcNow() + left }, _clock);

        Assert.Equal(TokenLife.Notice, Of(TimeSpan.FromSeconds(-1)).Left);
        Assert.Equal(TokenLife.Notice, Of(TimeSpan.Zero).Left);
        Assert.Equal(TimeSpan.FromSeconds(1), Of(TimeSpan.FromSeconds(1)).Left);
    }

    [Fact]
    public async Task AScopeThatWasNamed_NeedsItsPermissionInTheFreshToken()
    {
        var query = $"?v=1&scope={TestTokens.ScopeOf("alice")}";
        await using var socket = await ConnectAsync(TestTokens.Of("worker", "sessions:answer", expiresAt: _clock.GetUtcNow() + Life), query);
        await socket.NextAsync("hello");

        await SendTokenAsync(socket, Token("worker"));
        Assert.Equal("forbidden", (await socket.NextAsync("error")).GetProperty("code").GetString());
        await SendTokenAsync(socket, TestTokens.Of("worker", "sessions:answer", expiresAt: _clock.GetUtcNow() + Life));
        await socket.NextAsync("authenticated");
    }

    [Fact]
    public async Task TokensThatAreRefusedAgainAndAgain_CloseTheSocketWith4100()
    {
        await using var socket = await ConnectAsync(Token("alice"));
        await socket.NextAsync("hello");
        for (var i = 0; i < 20; i++)
        {
            await SendTokenAsync(socket, TestTokens.Of("bob"));
        }

        Assert.Equal(4100, await socket.ClosedAsync());
    }

    private string Token(string subject) => TestTokens.Of(subject, expiresAt: _clock.GetUtcNow() + Life);

    private Task<TestSocket> ConnectAsync(string token, string query = "?v=1") => new Subject(Host, token).ConnectAsync(_session, query);

    private static Task SendTokenAsync(TestSocket socket, string token) => socket.SendAsync(JsonSerializer.Serialize(new { type = "auth", token }));

    /// <summary>The next frame, while the clock that looks at the tokens ticks.</summary>
    private async Task<JsonElement> NextAsync(TestSocket socket)
    {
        var next = socket.NextAsync();
        await TickUntilAsync(next);
        return await next;
    }

    private Task TickUntilAsync(Task task) => Eventually.TrueAsync(
        () =>
        {
            if (!task.IsCompleted)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            }

            return task.IsCompleted;
        },
        "the next frame arrives");
}
