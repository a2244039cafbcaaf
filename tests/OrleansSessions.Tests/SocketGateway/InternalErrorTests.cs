using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>What clients receive if the server fails, or cannot write a question.</summary>
public sealed class InternalErrorTests : IAsyncLifetime
{
    private readonly GatedStorage _store = new();
    private SessionCluster _cluster = null!;
    private SocketHost _host = null!;
    private volatile bool _isFaulty;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            configureSilo: silo =>
            {
                silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store);
                silo.AddIncomingGrainCallFilter(call => _isFaulty && call.InterfaceMethod.Name == nameof(ISessionGrain.AskAsync) ? throw new InvalidOperationException() : call.Invoke());
            });
        _host = await SocketHost.StartAsync(_cluster.Orleans.Client);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("?v=1")]
    public async Task OnASocket_TheErrorNamesTheQuestion_AndTheSocketClosesWith1011(string query)
    {
        await using var socket = await TestSocket.ConnectAsync(Address("s1", query));
        _isFaulty = true;

        await socket.SendAsync("""{"id":"q1","question":"why"}""");
        var error = (await socket.UntilAsync("error"))[^1];

        Assert.Equal(("internal", "q1", true), (
            error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString(), error.GetProperty("retryable").GetBoolean()));
        Assert.Equal(CloseCodes.InternalError, await socket.ClosedAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?v=1")]
    public async Task WithoutAStore_OnASocket_TheErrorIsStoreUnavailable_AndTheSocketGoesOn(string query)
    {
        await using var socket = await TestSocket.ConnectAsync(Address("s3", query));
        _store.Fail = true;

        await socket.SendAsync("""{"id":"q1","question":"why"}""");
        var error = (await socket.UntilAsync("error"))[^1];
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);
        _cluster.Responder.For("why").Send("because").Finish();
        await socket.SendAsync("""{"id":"q1","question":"why"}""");

        Assert.Equal(("store_unavailable", "q1", true, 1_000L), (
            error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString(), error.GetProperty("retryable").GetBoolean(),
            error.GetProperty("retry_after_ms").GetInt64()));
        if (query.Length > 0)
        {
            await socket.UntilAsync("done");
        }
        else
        {
            Assert.Contains("because", (await socket.NextAsync()).GetRawText());
        }
    }

    [Fact]
    public async Task ASocketGateway_SubscribesWithoutTheStoreOfTheSessions()
    {
        _store.Fail = true;

        await using var other = await SocketHost.StartAsync(_cluster.Orleans.Client);

        Assert.Empty(_store.Keys);
        Assert.Equal(0, _store.Failures);
    }

    [Fact]
    public async Task WithoutAStore_OverHttp_ItIs503AndRetryable_AndTheSameIdCanBeAskedAgain()
    {
        _store.Fail = true;
        using var body = new StringContent("""{"id":"q1","question":"why"}""", System.Text.Encoding.UTF8, "application/json");
        using var refused = await _host.Http.PostAsync("/v1/sessions/s2/questions", body);
        var problem = System.Text.Json.JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        _store.Fail = false;
        await _cluster.StoreIsAsync(isAway: false);
        using var again = new StringContent("""{"id":"q1","question":"why"}""", System.Text.Encoding.UTF8, "application/json");
        using var taken = await _host.Http.PostAsync("/v1/sessions/s2/questions", again);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("store_unavailable", problem.GetProperty("code").GetString());
        Assert.Equal("q1", problem.GetProperty("question_id").GetString());
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
    }

    private Uri Address(string session, string query) => new UriBuilder(_host.Address) { Scheme = "ws", Path = $"/ws/{session}", Query = query }.Uri;
}
