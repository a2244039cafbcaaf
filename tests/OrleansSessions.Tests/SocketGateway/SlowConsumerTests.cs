using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A client that stops reading, on a real connection, with limits small enough to be met.</summary>
public sealed class SlowConsumerTests(GatewayFixture gateway) : IAsyncLifetime
{
    private const int Pieces = 20;
    private const int PieceChars = 32 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _session = GatewayFixture.NewSession();
    private SocketHost _host = null!;

    private int Sockets => _host.Services.GetRequiredService<SocketGatewayMetrics>().ActiveConnections;

    public async ValueTask InitializeAsync()
    {
        await gateway.StartAsync();
        _host = await SocketHost.StartAsync(
            gateway.Cluster.Orleans.Client, options => (options.MaxQueuedChars, options.HeartbeatInterval) = (256 * 1024, TimeSpan.FromSeconds(1)));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task AClientThatStopsReading_IsClosed4002OrCut_AndHoldsUpNeitherTheGrainNorOtherSockets()
    {
        await using var deaf = await _host.ConnectV1Async(_session);
        await deaf.NextAsync("hello");
        await using var reader = await TwoGatewaysFixture.ConnectAsync(_host, _session);
        var answered = 0;
        while (Sockets == 2 && answered < 20)
        {
            var question = $"{_session} {++answered}";
            var script = gateway.Cluster.Responder.For(question);
            for (var i = 0; i < Pieces; i++)
            {
                script.Send(new string((char)('a' + (i % 26)), PieceChars));
            }

            script.Finish();
            var asked = await reader.AskAsync(question);
            await reader.PumpUntilDoneAsync(asked).WaitAsync(Patience);
            Assert.Equal("completed", asked.Status);
        }

        // What was on its way is still there to be read; behind it stands the close frame, or nothing where the time for it was up.
        var code = 0;
        try
        {
            code = await deaf.ClosedAsync().WaitAsync(Patience);
        }
        catch (WebSocketException)
        {
        }

        Assert.True(code is 4002 or 0, $"Closed with {code} after {answered} answers.");
        await Eventually.TrueAsync(() => Sockets == 1, "only the reader is left");
        gateway.Cluster.Responder.For(_session).Send("still here").Finish();
        await reader.PumpUntilDoneAsync(await reader.AskAsync(_session));
    }
}
