using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

public sealed class SharedSessionOnGarnetTests(GarnetClusterFixture cluster) : SharedSessionTests(cluster), IClassFixture<GarnetClusterFixture>;

public sealed class SharedSessionOnRedisServerTests(RedisServerClusterFixture cluster) : SharedSessionTests(cluster), IClassFixture<RedisServerClusterFixture>;

/// <summary>One session that is used through two nodes, for each pair of roles.</summary>
public abstract class SharedSessionTests(RedisClusterFixture cluster)
{
    [Theory]
    [InlineData("a", "b")]
    [InlineData("a", "g")]
    [InlineData("g", "b")]
    public async Task Ask_WhileTheSessionIsBusyThroughTheOtherNode_IsRefused(string one, string other)
    {
        cluster.SkipIfAbsent();
        var session = Names.Session();
        await using var first = await OpenAsync(one, session);
        await using var second = await OpenAsync(other, session);
        await first.AskAsync("first", "q-1");
        await first.ExpectAsync("accepted");
        Assert.Equal("first", (await second.ExpectAsync("accepted")).Text("question"));

        await second.AskAsync("second", "q-2");

        Assert.Equal("q-1", (await second.ExpectErrorAsync(WireErrors.SessionBusy)).Text("active_question_id"));
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("g", "a")]
    public async Task Answer_AskedOnOneNode_IsFollowedOnTheOther(string one, string other)
    {
        cluster.SkipIfAbsent();
        var session = Names.Session();
        await using var asking = await ClientAsync(one, session);
        await using var following = await ClientAsync(other, session);
        var question = await asking.AskAsync("follow me");
        await asking.PumpUntilAsync(() => question.IsAccepted, "accepted");
        var text = "";
        foreach (var piece in new[] { "grüß ", "dich ", "😀" })
        {
            await Node(other).Http.AnswerAsync(session, question.Id, System.Text.Encoding.UTF8.GetByteCount(text), piece);
            text += piece;
            await asking.PumpUntilAsync(() => question.Answer.Length == text.Length, $"'{text}' on {one}");
            await following.PumpUntilAsync(
                () => following.Questions.GetValueOrDefault(question.Id)?.Answer.Length == text.Length, $"'{text}' on {other}");
        }

        await Node(one).Http.AnswerAsync(session, question.Id, System.Text.Encoding.UTF8.GetByteCount(text), "", isFinal: true);
        await asking.PumpUntilDoneAsync(question);
        await following.PumpUntilDoneAsync(following.Questions[question.Id]);

        Assert.Equal(text, question.Answer.ToString());
        Assert.Equal(text, following.Questions[question.Id].Answer.ToString());
        Assert.Equal((asking.Epoch, asking.Last), (following.Epoch, following.Last));
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "g")]
    public async Task Cancel_FromTheOtherNode_EndsTheQuestionOnBoth(string one, string other)
    {
        cluster.SkipIfAbsent();
        var session = Names.Session();
        await using var asking = await OpenAsync(one, session);
        await using var cancelling = await OpenAsync(other, session);
        await asking.AskAsync("never mind", "q-1");
        await asking.ExpectAsync("accepted");
        await cancelling.ExpectAsync("accepted");

        await cancelling.CancelAsync("q-1");

        await cancelling.ExpectAsync("cancelling");
        foreach (var socket in new[] { asking, cancelling })
        {
            var done = await socket.ExpectAsync("done");
            Assert.Equal(("cancelled", DoneReasons.ByClient), (done.Text("status"), done.Text("reason")));
        }
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "g")]
    public async Task Resume_OnTheOtherNode_GoesOnFromTheLastPiece(string one, string other)
    {
        cluster.SkipIfAbsent();
        var session = Names.Session();
        var node = one;
        await using var client = new ReferenceClient(query => Node(node).Socket(session, query));
        await client.ConnectAsync();
        var question = await client.AskAsync("move");
        await client.PumpUntilAsync(() => question.IsAccepted, "accepted");
        await Node(other).Http.AnswerAsync(session, question.Id, 0, "here ");
        await client.PumpUntilAsync(() => question.NextDelta == 1, "the first delta");

        await client.DropAsync();
        await Node(one).Http.AnswerAsync(session, question.Id, 5, "and there", isFinal: true);
        node = other;
        await client.ConnectAsync();

        Assert.True(client.Resumed?.Flag("recovered"), $"Resuming on {other} was not possible: {client.Resumed}");
        Assert.Equal(("here and there", "completed"), (question.Answer.ToString(), question.Status));
    }

    private ServerProcess Node(string name) => cluster.Node(name);

    private async Task<CheckedSocket> OpenAsync(string node, string session)
    {
        var socket = await CheckedSocket.ConnectAsync(Node(node).Socket(session));
        await socket.ExpectAsync("hello");
        return socket;
    }

    private async Task<ReferenceClient> ClientAsync(string node, string session)
    {
        var client = new ReferenceClient(query => Node(node).Socket(session, query));
        await client.ConnectAsync();
        return client;
    }
}
