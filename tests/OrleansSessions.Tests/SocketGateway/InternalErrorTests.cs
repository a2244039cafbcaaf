using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>What clients receive if the server fails: here, the store cannot write a question.</summary>
public sealed class InternalErrorTests : IAsyncLifetime
{
    private readonly GatedStorage _store = new();
    private SessionCluster _cluster = null!;
    private SocketHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(
            configureSilo: silo => silo.Services.AddKeyedSingleton<IGrainStorage>(SessionsOptions.StorageName, _store));
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
        var address = new UriBuilder(_host.Address) { Scheme = "ws", Path = "/ws/s1", Query = query }.Uri;
        await using var socket = await TestSocket.ConnectAsync(address);
        _store.Fail = true;

        await socket.SendAsync("""{"id":"q1","question":"why"}""");
        var error = (await socket.UntilAsync("error"))[^1];

        Assert.Equal(("internal", "q1", true), (
            error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString(), error.GetProperty("retryable").GetBoolean()));
        Assert.Equal(CloseCodes.InternalError, await socket.ClosedAsync());
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
    public async Task OverHttp_ItIs500AndRetryable_AndTheSameIdCanBeAskedAgain()
    {
        _store.Fail = true;
        using var body = new StringContent("""{"id":"q1","question":"why"}""", System.Text.Encoding.UTF8, "application/json");
        using var refused = await _host.Http.PostAsync("/v1/sessions/s2/questions", body);
        var problem = System.Text.Json.JsonDocument.Parse(await refused.Content.ReadAsStringAsync()).RootElement;
        _store.Fail = false;
        using var again = new StringContent("""{"id":"q1","question":"why"}""", System.Text.Encoding.UTF8, "application/json");
        using var taken = await _host.Http.PostAsync("/v1/sessions/s2/questions", again);

        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Equal("internal", problem.GetProperty("code").GetString());
        Assert.Equal("q1", problem.GetProperty("question_id").GetString());
        Assert.Equal(HttpStatusCode.Accepted, taken.StatusCode);
    }
}
