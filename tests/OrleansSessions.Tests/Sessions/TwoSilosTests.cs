using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class TwoSilosTests : IAsyncLifetime
{
    private SessionCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await SessionCluster.StartAsync(silos: 2, isStored: true);

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task I1_AThousandAsksFromEverywhere_LetOneQuestionRun()
    {
        var clients = _cluster.Orleans.Silos.Select(silo => _cluster.Orleans.GetSiloServiceProvider(silo.SiloAddress)).ToList();
        var asks = Enumerable.Range(0, 1000).Select(i =>
        {
            var grains = (IGrainFactory)clients[i % clients.Count].GetService(typeof(IGrainFactory))!;
            return grains.GetGrain<ISessionGrain>("/s").AskAsync($"q{i}", "go");
        });

        var replies = await Task.WhenAll(asks);

        Assert.Single(replies, reply => reply.Outcome == AskOutcome.Accepted);
        Assert.Equal(999, replies.Count(reply => reply.Outcome == AskOutcome.Busy));
        await Eventually.TrueAsync(() => _cluster.Responder.For("go").Runs == 1, "the responder was asked once");
    }

    [Fact]
    public async Task TwoSocketGateways_FollowTheSameAnswer()
    {
        await using var one = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await using var two = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        var session = _cluster.Session("s");
        await session.AttachAsync(one.Id);
        await session.AttachAsync(two.Id);
        var script = _cluster.Responder.For("go");
        await session.AskAsync("a", "go", gateway: one.Id, connection: "c");
        for (var i = 0; i < 100; i++)
        {
            script.Send($"{i} ");
        }

        script.Finish();

        var first = await one.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        var second = await two.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal(first, second);
        Assert.Equal(Enumerable.Range(1, first.Count).Select(seq => (long)seq), first.Select(logged => logged.Seq));
    }

    [Fact]
    public async Task EverySilo_SendsHeartbeatsToEverySocketGateway()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);

        await Eventually.TrueAsync(() => gateway.Silos.Count == 2, "both silos have been heard");
    }
}
