using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>The session's grain goes to sleep while its sockets remain open. The clients check the number of every frame.</summary>
public sealed class HibernationTests(TwoGatewaysFixture gateways) : IClassFixture<TwoGatewaysFixture>
{
    private readonly string _session = GatewayFixture.NewSession();

    [Fact]
    public async Task I3_TheSocketOfASleepingSession_Asks_AndTheNumbersGoOn()
    {
        await using var client = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await client.PumpUntilDoneAsync(await AskAsync(client));
        var (epoch, last) = (client.Epoch, client.Last);
        await gateways.Cluster.HibernateAsync();

        var second = await AskAsync(client);
        await client.PumpUntilDoneAsync(second);

        Assert.Equal("one two", second.Answer.ToString());
        Assert.Equal((epoch, last * 2), (client.Epoch, client.Last));
        Assert.Null(client.Resumed);
    }

    [Fact]
    public async Task I3_ASocketOfASleepingSession_FollowsWhatIsAskedThroughAnotherGateway()
    {
        await using var sleeper = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await sleeper.PumpUntilDoneAsync(await AskAsync(sleeper));
        await gateways.Cluster.HibernateAsync();
        await using var asker = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);

        var question = await AskAsync(asker);
        await asker.PumpUntilDoneAsync(question);
        await sleeper.PumpUntilAsync(() => sleeper.Last == asker.Last, "all that the other gateway's socket saw");

        Assert.Equal("one two", sleeper.Questions[question.Id].Answer.ToString());
        Assert.Equal("completed", sleeper.Questions[question.Id].Status);
        Assert.Null(sleeper.Resumed);
    }

    [Fact]
    public async Task I3_SocketsOfBothGateways_FollowASessionThatAnHttpCallWoke()
    {
        await using var left = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await using var right = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);
        await left.PumpUntilDoneAsync(await AskAsync(left));
        await gateways.Cluster.HibernateAsync();

        Script("woken");
        await gateways.Cluster.Session(_session).AskAsync("woken", "woken " + _session);

        await left.PumpUntilAsync(() => IsDone(left, "woken"), "the answer at the left gateway");
        await right.PumpUntilAsync(() => IsDone(right, "woken"), "the answer at the right gateway");
        Assert.Equal((left.Epoch, left.Last), (right.Epoch, right.Last));
    }

    [Fact]
    public async Task ASleepingSessionThatWasNeverAsked_AnswersTheSocketThatAsksFirst()
    {
        await using var client = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await using var follower = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);
        await gateways.Cluster.HibernateAsync();

        var question = await AskAsync(client);
        await client.PumpUntilDoneAsync(question);
        await follower.PumpUntilAsync(() => IsDone(follower, question.Id), "the answer at the other gateway");

        Assert.Equal("one two", question.Answer.ToString());
        Assert.Equal("one two", follower.Questions[question.Id].Answer.ToString());
        Assert.Equal(client.Epoch, follower.Epoch);
        await client.PumpUntilDoneAsync(await AskAsync(client));
    }

    [Fact]
    public async Task ASleepingSessionThatWasNeverAsked_IsWokenByAnotherSocket_AndBothMayAsk()
    {
        await using var sleeper = await TwoGatewaysFixture.ConnectAsync(gateways.Left, _session);
        await gateways.Cluster.HibernateAsync();
        await using var other = await TwoGatewaysFixture.ConnectAsync(gateways.Right, _session);

        var first = await AskAsync(sleeper);
        await sleeper.PumpUntilDoneAsync(first);
        await other.PumpUntilAsync(() => IsDone(other, first.Id), "the first answer");
        var second = await AskAsync(other);
        await other.PumpUntilDoneAsync(second);
        await sleeper.PumpUntilAsync(() => IsDone(sleeper, second.Id), "the second answer");

        Assert.Equal("epoch_changed", sleeper.Resumed!.Value.Text("reason"));
        Assert.Equal((sleeper.Epoch, sleeper.Last), (other.Epoch, other.Last));
    }

    [Fact]
    public async Task ABasicSocketOfASleepingSession_AsksAndIsAnswered()
    {
        await using var socket = await gateways.Left.ConnectBasicAsync(_session);
        await gateways.Cluster.HibernateAsync();
        for (var round = 1; round <= 2; round++)
        {
            Script($"round {round}");
            await socket.SendAsync($$"""{"question":"round {{round}} {{_session}}"}""");
            Assert.Equal("one two", (await socket.NextAsync("response")).GetProperty("data").GetString());
            await gateways.Cluster.HibernateAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Removal_OfASleepingSession_ClosesItsSocketsEverywhere(bool isAsked)
    {
        await using var left = await gateways.Left.ConnectV1Async(_session);
        await using var right = await gateways.Right.ConnectV1Async(_session);
        await left.NextAsync("hello");
        await right.NextAsync("hello");
        if (isAsked)
        {
            Script("first");
            await left.SendAsync($$"""{"question":"first {{_session}}"}""");
            await left.UntilAsync("done");
        }

        await gateways.Cluster.HibernateAsync();
        using var removed = await gateways.Left.Http.DeleteAsync(new Uri($"/v1/sessions/{_session}", UriKind.Relative));

        Assert.Equal(204, (int)removed.StatusCode);
        Assert.Equal(4104, await left.ClosedAsync());
        Assert.Equal(4104, await right.ClosedAsync());
    }

    private static bool IsDone(ReferenceClient client, string id) => client.Questions.TryGetValue(id, out var question) && question.End is not null;

    private Task<ReferenceQuestion> AskAsync(ReferenceClient client)
    {
        var name = Guid.NewGuid().ToString("N");
        Script(name);
        return client.AskAsync($"{name} {_session}");
    }

    private void Script(string name) => gateways.Cluster.Responder.For($"{name} {_session}").Send("one ").Send("two").Finish();
}
