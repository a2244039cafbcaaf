using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Client;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Client;

/// <summary>The connections of a client, with a server on loopback.</summary>
public sealed class SessionClientTests
{
    private readonly ConcurrentQueue<SessionStateChange> _changes = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(403, """{"code":"forbidden","detail":"Not from there.","retryable":false}""", "forbidden", "Not from there.")]
    [InlineData(404, "<html>", null, "404")]
    public async Task RefusedUpgrade_StopsTheClient_WithTheWordsOfTheProblemDocument(int status, string body, string? code, string words)
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => RefuseAsync(context, status, body));

        var stopped = await Assert.ThrowsAsync<SessionStoppedException>(() => SessionClient.ConnectAsync(host.Address, "s", null, Token));

        Assert.Equal((SessionStopReason.Refused, code), (stopped.Reason, stopped.Stop.Code));
        Assert.Contains(words, stopped.Message, StringComparison.Ordinal);
        Assert.Single(host.Requests);
    }

    [Fact]
    public async Task ServerThatCannotAnswerNow_IsTriedAgain_AndTheCauseIsTold()
    {
        await using var host = await ScriptedHost.StartAsync((context, number) => number == 0
            ? RefuseAsync(context, 503, """{"code":"draining","detail":"Later.","retryable":true,"retry_after_ms":10}""")
            : ScriptedHost.ServeAsync(context));

        await using var client = await SessionClient.ConnectAsync(host.Address, "s", Recording(), Token);

        Assert.Equal(SessionState.Live, client.State);
        Assert.Equal("draining", (_changes.Single(change => change.Cause is not null).Cause as SessionRefusedException)?.Code);
    }

    [Fact]
    public async Task Options_ReachTheUpgradeAndTheRequests_ThroughTheCallersClient()
    {
        await using var host = await ScriptedHost.StartAsync((context, number) => number == 0
            ? ScriptedHost.ServeAsync(context) : context.Response.WriteAsJsonAsync(new { questions = Array.Empty<object>() }));
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("X-App", "+app");
        var options = new SessionClientOptions { Invoker = http, SocketPath = "/sock/{session}", ApiPath = "/api/{session}", Token = _ => new("t-1") };

        await using var client = await SessionClient.ConnectAsync(new(host.Address, "/pre?scope=x"), "s", options, Token);
        var history = await client.GetHistoryAsync(7, Token);

        Assert.Empty(history);
        Assert.Equal(["/pre/sock/s?scope=x&v=1 Bearer t-1+app", "/pre/api/s/questions?scope=x&limit=7 Bearer t-1+app"], host.Requests);
    }

    [Fact]
    public async Task Options_ThatAreChangedLater_DoNotReachASession()
    {
        await using var host = await ScriptedHost.StartAsync((context, number) => number == 0
            ? ScriptedHost.ServeAsync(context) : context.Response.WriteAsJsonAsync(new { questions = Array.Empty<object>() }));
        var options = new SessionClientOptions { Token = _ => new("t-1") };
        await using var client = await SessionClient.ConnectAsync(host.Address, "s", options, Token);

        options.Token = _ => new("t-2");
        options.Headers["X-App"] = "+app";
        await client.GetHistoryAsync(7, Token);

        Assert.Equal("/v1/sessions/s/questions?limit=7 Bearer t-1", host.Requests.Last());
    }

    [Fact]
    public async Task SilentServer_IsLeft_AfterThreeHeartbeats()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context, (socket, _) =>
            ScriptedHost.SendAsync(socket, """{"type":"error","message":"No.","code":"bad_request","retryable":false,"question_id":"q-1"}""")));
        var time = new FakeTimeProvider();
        var options = Recording();
        options.TimeProvider = time;
        await using var client = await SessionClient.ConnectAsync(host.Address, "s", options, Token);

        time.Advance(TimeSpan.FromSeconds(74.9));
        await Assert.ThrowsAsync<SessionRefusedException>(() => client.AskAsync("What?", new() { Id = "q-1" }, Token).WholeAsync(Token));
        Assert.Single(host.Requests);

        // What arrives is no silence.
        time.Advance(TimeSpan.FromSeconds(74.9));
        await Assert.ThrowsAsync<SessionRefusedException>(() => client.AskAsync("What?", new() { Id = "q-1" }, Token).WholeAsync(Token));
        Assert.Single(host.Requests);
        time.Advance(TimeSpan.FromSeconds(75.1));

        await Eventually.TrueAsync(
            () => _changes.Any(change => change is { State: SessionState.Reconnecting, Cause: TimeoutException }), "the silence is noticed");
    }

    [Fact]
    public async Task TokenThatCannotBeHad_IsAskedForAgain()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context));
        var calls = 0;
        var options = Recording();
        options.Token = _ => ++calls == 1 ? throw new InvalidOperationException("The authority is away.") : new("t-2");
        await using var client = await SessionClient.ConnectAsync(host.Address, "s", options, Token);

        Assert.Equal(["/ws/s?v=1 Bearer t-2"], host.Requests);
        Assert.Equal("The authority is away.", _changes.Single(change => change.Cause is not null).Cause?.Message);
    }

    [Fact]
    public async Task TokenThatTheServerCouldNotCheck_IsUsedForTheNextConnection()
    {
        await using var host = await ScriptedHost.StartAsync(async (context, number) =>
        {
            if (number > 0)
            {
                await ScriptedHost.ServeAsync(context);
                return;
            }

            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ScriptedHost.SendAsync(socket, ScriptedHost.Hello);
            await ScriptedHost.SendAsync(socket, """{"type":"expiring","in_ms":60000}""");
            await socket.ReceiveAsync(new byte[4096], CancellationToken.None);
            await ScriptedHost.SendAsync(
                socket, """{"type":"error","message":"Later.","code":"internal","retryable":true,"param":"token","retry_after_ms":60000}""");
            await ScriptedHost.SendAsync(socket, """{"type":"error","message":"Over.","code":"token_expired","retryable":false}""");
            await socket.CloseAsync((WebSocketCloseStatus)4005, null, CancellationToken.None);
        });
        var calls = 0;
        await using var client = SessionClient.Start(host.Address, "s", new() { Token = _ => new(++calls == 1 ? "t-1" : "t-2") });

        await Eventually.TrueAsync(() => host.Requests.Count == 2 || client.Stopped.IsCompleted, "the client comes back");

        Assert.Equal(["/ws/s?v=1 Bearer t-1", "/ws/s?v=1&epoch=e1&after=0 Bearer t-2"], host.Requests);
    }

    [Fact]
    public async Task ServerOfAnotherProtocol_StopsTheClient()
    {
        await using var host = await ScriptedHost.StartAsync(async (context, _) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ScriptedHost.SendAsync(socket, """{"hello":"world"}""");
            await ScriptedHost.UntilGoneAsync(socket);
        });

        var stopped = await Assert.ThrowsAsync<SessionStoppedException>(() => SessionClient.ConnectAsync(host.Address, "s", null, Token));

        Assert.Equal(SessionStopReason.Protocol, stopped.Reason);
    }

    [Fact]
    public async Task CallbackThatThrows_StopsTheClient_WithItsException()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context));
        var fault = new InvalidOperationException("A bug of the caller.");

        await using var client = SessionClient.Start(host.Address, "s", new() { OnStateChanged = change => throw fault });
        var answer = client.AskAsync("What?", cancellationToken: Token);

        Assert.Same(fault, (await Assert.ThrowsAsync<SessionStoppedException>(() => answer.WholeAsync(Token))).InnerException);
        Assert.Same(fault, (await client.Stopped).Fault);
    }

    [Fact]
    public async Task Connect_ThatIsCancelled_GivesUp()
    {
        using var giveUp = new CancellationTokenSource();
        await using var host = await ScriptedHost.StartAsync(async (context, _) =>
        {
            await giveUp.CancelAsync();
            await ScriptedHost.ServeAsync(context);
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SessionClient.ConnectAsync(host.Address, "s", Recording(), giveUp.Token));

        Assert.Equal(SessionState.Stopped, _changes.Last().State);
    }

    [Fact]
    public async Task Container_HasAFactory_WhoseOptionsComeFromIt()
    {
        await using var host = await ScriptedHost.StartAsync((context, _) => ScriptedHost.ServeAsync(context));
        await using var services = new ServiceCollection().AddSingleton("t-3")
            .AddSessionClient(host.Address, (provider, options) => options.Token = _ => new(provider.GetRequiredService<string>())).BuildServiceProvider();

        await using var client = await services.GetRequiredService<SessionClientFactory>().ConnectAsync("s", Token);

        Assert.Equal(["/ws/s?v=1 Bearer t-3"], host.Requests);
    }

    private static Task RefuseAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }

    private SessionClientOptions Recording() => new() { OnStateChanged = _changes.Enqueue };
}
