using System.Collections.Concurrent;
using OrleansSessions.Client;
using OrleansSessions.EndToEndTests.Access;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.TestKit.Tokens;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The .NET client with a server that requires tokens.</summary>
public sealed class DotNetClientTokenTests(AccessServerFixture server) : IClassFixture<AccessServerFixture>
{
    private readonly ConcurrentQueue<SessionState> _states = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Token_IsRenewedOnTheOpenConnection_BeforeItExpires()
    {
        var calls = 0;

        // In whole seconds, so the first one is good for at least one.
        await using var client = await ConnectAsync(() => Signed(Interlocked.Increment(ref calls) == 1 ? 2 : 3600));
        var words = string.Join(' ', Enumerable.Range(0, 250).Select(number => $"word{number}"));
        var end = await client.AskAsync(words, cancellationToken: Token);

        Assert.Equal((words, 2), (end.Text, calls));
        Assert.True(end.Duration > TimeSpan.FromSeconds(2), $"The answer took only {end.Duration}, and the first token was still good.");
        Assert.Equal([SessionState.Connecting, SessionState.Live], _states);
    }

    [Fact]
    public async Task TokenThatIsNotValid_StopsTheClient_WithTheCodeOfTheServer()
    {
        var stopped = await Assert.ThrowsAsync<SessionStoppedException>(() => ConnectAsync(() => "garbage"));

        Assert.Equal((SessionStopReason.Refused, "unauthorized"), (stopped.Reason, stopped.Code));
    }

    [Fact]
    public async Task ExpiredToken_WithoutAnotherOne_StopsTheClient()
    {
        var expired = Signed(-60);

        var stopped = await Assert.ThrowsAsync<SessionStoppedException>(() => ConnectAsync(() => expired));

        Assert.Equal((SessionStopReason.TokenExpired, "token_expired"), (stopped.Reason, stopped.Code));
    }

    private static string Signed(int seconds) =>
        (new TestToken() with { ExpiresAt = TimeProvider.System.GetUtcNow().AddSeconds(seconds) }).SignedWith(AccessServerFixture.Key);

    private Task<SessionClient> ConnectAsync(Func<string> token) => SessionClient.ConnectAsync(
        server.Server.Address, Names.Session(), new() { Token = _ => new(token()), OnStateChanged = change => _states.Enqueue(change.State) }, Token);
}
