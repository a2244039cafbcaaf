using System.Net;
using System.Net.WebSockets;
using System.Text;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class BadInputTests(GatewayFixture gateway) : IAsyncLifetime
{
    private readonly string _session = GatewayFixture.NewSession();

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => default;

    [Theory]
    [InlineData("nonsense", "bad_request")]
    [InlineData("", "bad_request")]
    [InlineData("""{"type":"dance"}""", "unknown_type")]
    [InlineData("""{"type":"auth","token":""}""", "bad_request")]
    [InlineData("""{"type":"auth","token":"x"}""", "unauthorized")]
    public async Task BadFrame_GetsOneError_AndTheSocketStaysOpen(string frame, string code)
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync(frame);

        Assert.Equal(code, (await socket.NextAsync("error")).GetProperty("code").GetString());
        await socket.SendAsync("""{"type":"ping"}""");
        await socket.NextAsync("ping");
    }

    [Fact]
    public async Task QuestionOverItsLimit_IsTooLarge_AndEchoesItsId()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync($$"""{"id":"q-1","question":"{{new string('x', 32 * 1024 + 1)}}"}""");

        var error = await socket.NextAsync("error");
        Assert.Equal(("question_too_large", "q-1"), (error.GetProperty("code").GetString(), error.GetProperty("question_id").GetString()));
    }

    [Fact]
    public async Task MessageOverItsLimit_GetsAnError_ThenCloses1009()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.SendAsync(new string('x', 65 * 1024));

        Assert.Equal("message_too_large", (await socket.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(1009, await socket.ClosedAsync());
    }

    [Fact]
    public async Task BinaryMessage_ClosesWith1003()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.SendAsync([1, 2, 3], WebSocketMessageType.Binary);
        Assert.Equal(1003, await socket.ClosedAsync());
    }

    [Fact]
    public async Task InvalidUtf8_ClosesWith1007()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        await socket.SendAsync([0xC3, 0x28]);
        Assert.Equal(1007, await socket.ClosedAsync());
    }

    [Fact]
    public async Task MessageInTooManyFragments_ClosesWith1008()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        for (var i = 0; i <= 1_001; i++)
        {
            await socket.SendAsync([], isEnd: false);
        }

        Assert.Equal(1008, await socket.ClosedAsync());
    }

    [Fact]
    public async Task BadRequestsInARow_CloseWith4100()
    {
        await using var socket = await gateway.Host.ConnectV1Async(_session);
        for (var i = 0; i < 20; i++)
        {
            await socket.SendAsync("nonsense");
        }

        Assert.Equal(4100, await socket.ClosedAsync());
    }

    [Fact]
    public async Task BusyRefusalsInARow_CloseWith4008()
    {
        var script = gateway.Cluster.Responder.For(_session);
        await using var host = await HostAsync(options => options.MaxBusyRefusals = 3);
        await using var socket = await host.ConnectBasicAsync(_session);
        await socket.SendAsync($$"""{"question":"{{_session}}"}""");
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync("""{"question":"now"}""");
        }

        Assert.Equal(4008, await socket.ClosedAsync());
        script.Finish();
    }

    [Fact]
    public async Task UnfinishedMessage_ClosesWith1008()
    {
        await using var host = await HostAsync(options =>
            (options.MessageTimeout, options.HeartbeatInterval) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(900)));
        await using var socket = await host.ConnectBasicAsync(_session);
        await socket.SendAsync(Encoding.UTF8.GetBytes("{"), isEnd: false);
        Assert.Equal(1008, await socket.ClosedAsync());
    }

    [Fact]
    public async Task Silence_IsPinged_ThenClosedWith4003()
    {
        await using var host = await HostAsync(options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(200));
        await using var socket = await host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        await socket.NextAsync("ping");
        Assert.Equal(4003, await socket.ClosedAsync());
    }

    [Theory]
    [InlineData("/ws/bad%20id", 400)]
    [InlineData("/ws/ok?v=1&after=x", 400)]
    [InlineData("/ws/ok?v=1&after=3", 400)]
    [InlineData("/ws/ok?v=2", 400)]
    public async Task BadAddress_IsRefusedInPlainHttp(string path, int status)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(gateway.Host.SocketAddress(path), CancellationToken.None));
        Assert.Equal(status, (int)socket.HttpStatusCode);
    }

    [Fact]
    public async Task UnknownSubprotocol_IsRefused_AndAPageGetsTheErrorOnTheSocket()
    {
        using var plain = new ClientWebSocket();
        plain.Options.CollectHttpResponseDetails = true;
        plain.Options.AddSubProtocol("other");
        await Assert.ThrowsAsync<WebSocketException>(() => plain.ConnectAsync(gateway.Host.SocketAddress("/ws/ok"), CancellationToken.None));
        Assert.Equal(HttpStatusCode.BadRequest, plain.HttpStatusCode);

        var origin = $"http://{gateway.Host.Address.Authority}";
        await using var page = await TestSocket.ConnectAsync(gateway.Host.SocketAddress("/ws/ok?v=9"), options => options.SetRequestHeader("Origin", origin));
        Assert.Equal("unsupported_protocol", (await page.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(4126, await page.ClosedAsync());
    }

    [Fact]
    public async Task ForeignOrigin_IsForbidden_UnlessAllowed()
    {
        using var foreign = new ClientWebSocket();
        foreign.Options.CollectHttpResponseDetails = true;
        foreign.Options.SetRequestHeader("Origin", "https://elsewhere.example");
        await Assert.ThrowsAsync<WebSocketException>(() => foreign.ConnectAsync(gateway.Host.SocketAddress("/ws/ok"), CancellationToken.None));
        Assert.Equal(HttpStatusCode.Forbidden, foreign.HttpStatusCode);

        await using var host = await HostAsync(options => options.AllowedOrigins = ["https://elsewhere.example"]);
        await using var allowed = await TestSocket.ConnectAsync(
            host.SocketAddress("/ws/ok?v=1"), options => options.SetRequestHeader("Origin", "https://elsewhere.example"));
        await allowed.NextAsync("hello");
    }

    [Fact]
    public async Task MoreSocketsThanAllowed_AreRefused_AndAPageIsClosedWith4029()
    {
        await using var host = await HostAsync(options => options.MaxConnections = 1);
        await using var first = await host.ConnectV1Async(_session);
        await first.NextAsync("hello");
        using var second = new ClientWebSocket();
        second.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => second.ConnectAsync(host.SocketAddress("/ws/ok"), CancellationToken.None));
        Assert.Equal(429, (int)second.HttpStatusCode);

        await using var page = await TestSocket.ConnectAsync(
            host.SocketAddress("/ws/ok"), options => options.SetRequestHeader("Origin", $"http://{host.Address.Authority}"));
        Assert.Equal("connection_limit", (await page.NextAsync("error")).GetProperty("code").GetString());
        Assert.Equal(4029, await page.ClosedAsync());
    }

    [Fact]
    public async Task StoppingProcess_ClosesWith4001_AndDoesNotHang()
    {
        var host = await HostAsync(_ => { });
        await using var socket = await host.ConnectV1Async(_session);
        await socket.NextAsync("hello");
        var closed = socket.ClosedAsync();
        await using var deaf = await host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");

        await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(8));
        Assert.Equal(4001, await closed);
        await host.DisposeAsync();
    }

    private async Task<SocketHost> HostAsync(Action<SocketGatewayOptions> configure) =>
        await SocketHost.StartAsync(gateway.Cluster.Orleans.Client, configure);
}
