using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Gateways;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>One session with sockets at two socket gateways, and two silos.</summary>
public sealed class TwoGatewaysTests(TwoGatewaysFixture gateways) : IClassFixture<TwoGatewaysFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly string _session = GatewayFixture.NewSession();

    [Fact]
    public async Task Ask_WhileTheOtherGatewaysSocketWaits_IsBusy()
    {
        await using var left = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await using var right = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);
        var script = gateways.Cluster.Responder.For(_session);
        var running = await left.AskAsync(_session);
        await left.PumpUntilAsync(() => running.IsAccepted, "the question is accepted");
        await right.PumpUntilAsync(() => right.Questions.ContainsKey(running.Id), "the other socket gateway gets the question");

        await right.Socket.AskAsync("another", "late");
        var error = await right.Socket.ExpectErrorAsync(WireErrors.SessionBusy);

        Assert.Equal(("late", running.Id), (error.Text("question_id"), error.Text("active_question_id")));
        Assert.Equal(WireErrors.BusyMessage, error.Text("message"));
        script.Send("x").Finish();
        await left.PumpUntilDoneAsync(running);
    }

    [Fact]
    public async Task I3_ASocketAtTheOtherGateway_FollowsTheWholeAnswer()
    {
        await using var left = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await using var right = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);
        var script = gateways.Cluster.Responder.For(_session);
        for (var i = 0; i < 200; i++)
        {
            script.Send($"piece {i} ");
        }

        script.Finish();
        var question = await left.AskAsync(_session);
        await left.PumpUntilDoneAsync(question);
        await right.PumpUntilAsync(() => right.Last == left.Last, "the end of the answer");

        Assert.Equal(question.Answer.ToString(), right.Questions[question.Id].Answer.ToString());
        Assert.Equal(_session, right.Questions[question.Id].Text);
    }

    [Fact]
    public async Task I8_ACancelThroughTheOtherGateway_ReachesTheResponder_AndI6HoldsThere()
    {
        await using var left = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await using var right = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);
        var script = gateways.Cluster.Responder.For(_session).Send("begun");
        var question = await left.AskAsync(_session);
        await right.PumpUntilAsync(
            () => right.Questions.TryGetValue(question.Id, out var seen) && seen.NextDelta > 0, "the answer has started at the other socket gateway");

        await right.Socket.CancelAsync(question.Id);
        await right.PumpUntilDoneAsync(right.Questions[question.Id]);
        await left.PumpUntilDoneAsync(question);

        Assert.True(right.Questions[question.Id].IsCancelling);
        Assert.False(question.IsCancelling);
        Assert.Equal(("cancelled", "by_client"), (question.Status, question.End!.Value.Text("reason")));
        await script.Cancelled.WaitAsync(Patience);
    }

    [Fact]
    public async Task ALostSubscription_IsRenewed_AndWhatWasMissedIsRead()
    {
        await using var deaf = await SocketHost.StartAsync(
            gateways.Cluster.Orleans.Client, options => options.SiloHeartbeatTimeout = TimeSpan.FromSeconds(2));
        await using var follower = await TwoGatewaysFixture.ConnectAsync(deaf, _session);
        await using var asker = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        var gateway = deaf.Services.GetRequiredService<SocketGatewayInstance>().Id;
        var stream = gateways.Cluster.Orleans.Client.GetStreamProvider(GatewayStreams.ProviderName).GetStream<GatewayItem>(StreamId.Create(GatewayStreams.Namespace, gateway));
        foreach (var subscription in await stream.GetAllSubscriptionHandles())
        {
            await subscription.UnsubscribeAsync();
        }

        gateways.Cluster.Responder.For(_session).Send("missed").Finish();
        var question = await asker.AskAsync(_session);
        await asker.PumpUntilDoneAsync(question);
        await follower.PumpUntilAsync(() => follower.Last == asker.Last, "what was missed");

        Assert.Equal("missed", follower.Questions[question.Id].Answer.ToString());
        gateways.Cluster.Responder.For("again " + _session).Send("heard").Finish();
        var next = await asker.AskAsync("again " + _session);
        await follower.PumpUntilAsync(() => follower.Questions.TryGetValue(next.Id, out var seen) && seen.End is not null, "events after the renewal");
    }
}
