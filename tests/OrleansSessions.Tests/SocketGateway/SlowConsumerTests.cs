using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A client that stops reading, on a real connection. Another socket is still answered completely.</summary>
public sealed class SlowConsumerTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const int MaxAnswers = 100;
    private const int Pieces = 16;
    private const int PieceChars = 32 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _session = GatewayFixture.NewSession();
    private SocketHost? _host;

    private SocketHost Host => _host!;

    public ValueTask InitializeAsync() => gateway.StartAsync();

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? default;

    [Fact]
    public async Task AClientThatStopsReading_IsClosedWith4002_AndHoldsUpNoOne()
    {
        await StartAsync(closeTimeout: TimeSpan.FromSeconds(15));
        await using var deaf = await Host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);

        await AskUntilOneIsClosingAsync(reader);

        // What was already sent can still be read, and the close frame follows it.
        Assert.Equal(4002, await deaf.ClosedAsync().WaitAsync(Patience));
        await AskAsync(reader, "after");
    }

    [Fact]
    public async Task AClientThatNeverReadsAgain_IsCutAfterCloseTimeout()
    {
        await StartAsync(closeTimeout: TimeSpan.FromMilliseconds(200));
        await using var deaf = await Host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");
        await using var reader = await TwoGatewaysFixture.ConnectAsync(Host, _session);

        await AskUntilOneIsClosingAsync(reader);

        var metrics = Host.Services.GetRequiredService<SocketGatewayMetrics>();
        await Eventually.TrueAsync(() => metrics.ActiveConnections == 1, "only the socket that reads is left");
        await AskAsync(reader, "after");
    }

    private async Task StartAsync(TimeSpan closeTimeout) => _host = await SocketHost.StartAsync(
        gateway.Cluster.Orleans.Client, options => (options.MaxQueuedChars, options.CloseTimeout) = (2 * 1024 * 1024, closeTimeout));

    /// <summary>Asks until the buffers of the connection are full and the writer of the socket that does not read gives up.</summary>
    private async Task AskUntilOneIsClosingAsync(ReferenceClient reader)
    {
        var registry = Host.Services.GetRequiredService<FollowerRegistry>();
        for (var asked = 0; asked < MaxAnswers; asked++)
        {
            await AskAsync(reader, $"number {asked}");
            var sockets = registry.TryFind("/" + _session, out var held) ? held.All.Cast<Follower>().ToArray() : [];
            if (sockets.Length < 2 || sockets.Any(socket => socket.IsClosing))
            {
                return;
            }
        }

        Assert.Fail($"No socket was a slow consumer after {MaxAnswers} answers of {Pieces * PieceChars} characters.");
    }

    private async Task AskAsync(ReferenceClient reader, string name)
    {
        var question = $"{name} {_session}";
        var script = gateway.Cluster.Responder.For(question);
        for (var i = 0; i < Pieces; i++)
        {
            script.Send(new string((char)('a' + i), PieceChars));
        }

        script.Finish();
        var asked = await reader.AskAsync(question);
        await reader.PumpUntilDoneAsync(asked).WaitAsync(Patience);
        Assert.Equal(("completed", Pieces * PieceChars), (asked.Status, asked.Answer.Length));
    }
}
