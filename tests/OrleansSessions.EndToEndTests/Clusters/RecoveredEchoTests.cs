using System.Text;
using System.Text.Json;
using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A node of three is lost in the middle of answers whose responder continues them, and clients of every kind get all of it.</summary>
public sealed class RecoveredEchoTests
{
    /// <summary>The pause before the first word also comes before the first word of a second attempt: the question is <c>recovering</c> for that long.</summary>
    private static readonly string[] Settings =
        ["Responder:Name=echo", "Responder:Echo:InitialDelay=00:00:02.500", "Responder:Echo:Delay=00:00:00.100", "Sessions:CheckpointInterval=00:00:00.200"];

    private static readonly string Question = string.Join(' ', Enumerable.Range(1, 60).Select(number => $"word{number}"));

    private readonly string _session = Names.Session("echo");

    [Theory]
    [InlineData(NodeLoss.Kill)]
    [InlineData(NodeLoss.Freeze)]
    public async Task AnAnswerOfALostNode_GoesOnElsewhere_ForSocketsThereAndHere_AndTheQueueGoesOn(NodeLoss loss)
    {
        // 1. The asker is on the node that will be lost, a follower on another. Another question waits.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, lost) = await nodes.AddThreeAsync(Settings);
        var askedOn = lost;
        await using var asker = new ReferenceClient(query => askedOn.Socket(_session, query));
        await using var follower = new ReferenceClient(query => one.Socket(_session, query));
        await asker.ConnectAsync();
        var asked = await asker.AskAsync(Question);
        await asker.PumpUntilAsync(() => asked.IsAccepted, "accepted");
        await follower.ConnectAsync();
        var queued = await follower.AskAsync("the next one", ifBusy: "queue");
        await asker.PumpUntilAsync(() => asked.NextDelta >= 3, "some text");
        var followed = await FollowedAsync(follower, asked.Id);
        var epoch = follower.Epoch;
        await nodes.UntilTextIsSavedAsync(_session);

        // 2. Its node is lost. The others continue, without anyone who asks for it: the follower's socket gateway does.
        lost.Lose(loss);
        await follower.PumpUntilAsync(() => follower.Epoch != epoch, "a new epoch");
        Assert.Equal((false, "epoch_changed"), (follower.Resumed!.Value.Flag("recovered"), follower.Resumed.Value.Text("reason")));
        await Eventually.TrueAsync(async () => (await two.Http.QuestionAsync(_session, asked.Id)).Text("state") == "recovering", "it is recovering");

        // 3. The asker comes back on another node.
        askedOn = two;
        await asker.DropAsync();
        await asker.ConnectAsync();
        Assert.Equal((false, "epoch_changed"), (asker.Resumed!.Value.Flag("recovered"), asker.Resumed.Value.Text("reason")));

        // 4. Both get the whole answer and one end, and the next question its turn.
        await asker.PumpUntilDoneAsync(asked);
        await follower.PumpUntilDoneAsync(followed);
        Assert.Equal((Question, "completed"), (asked.Answer.ToString(), asked.Status));
        Assert.Equal((Question, "completed"), (followed.Answer.ToString(), followed.Status));
        await follower.PumpUntilDoneAsync(queued);
        Assert.Equal(("the next one", "completed"), (queued.Answer.ToString(), queued.Status));
        var question = await one.Http.QuestionAsync(_session, asked.Id);
        Assert.Equal((Question, 2), (question.Text("text"), question.Number("attempt")));
        Assert.Equal(1, Ends(asker, asked.Id));
        Assert.Equal(1, Ends(follower, asked.Id));
        Assert.Equal(1, Ends(follower, queued.Id));
    }

    [Theory]
    [InlineData(NodeLoss.Kill)]
    [InlineData(NodeLoss.Freeze)]
    public async Task AnAnswerOfALostNode_ReachesABasicSocketWhole_AndAnEventStreamThatComesBack(NodeLoss loss)
    {
        // 1. The first question activates the session on the node that will be lost. A basic socket asks through another node; an event stream follows there.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, lost) = await nodes.AddThreeAsync(Settings);
        await lost.Http.AskAsync(_session, """{"question":"first","id":"q-1"}""", ("Prefer", "wait=20"));
        await using var basic = await CheckedSocket.ConnectAsync(one.Socket(_session), WireProfile.Basic);
        string? lastId;
        await using (var broken = await EventStreamClient.OpenAsync(lost.Http, Events))
        {
            await broken.NextAsync("hello");
            await basic.AskAsync(Question, "q-2");
            do
            {
                var next = await broken.NextAsync();
                lastId = next?.Id ?? throw new InvalidOperationException("The stream ended, or sent a frame without an id.");
                if (next.Type == "delta")
                {
                    break;
                }
            }
            while (true);
        }

        await nodes.UntilTextIsSavedAsync(_session);

        // 2. Its node is lost, and the stream comes back on another.
        lost.Lose(loss);
        await using var stream = await EventStreamClient.OpenAsync(two.Http, Events, lastId);
        var hello = await stream.NextAsync("hello");
        Assert.True(hello.Frame.Flag("resuming"));
        var resumed = await stream.NextAsync("resumed");
        Assert.Equal((false, "epoch_changed"), (resumed.Frame.Flag("recovered"), resumed.Frame.Text("reason")));
        var open = Assert.Single(resumed.Frame.GetProperty("open").EnumerateArray());
        Assert.True(open.Text("state") is "recovering" or "answering", $"The open question is {open}.");

        // 3. The stream has the text in a snapshot and what follows, the basic socket one whole frame.
        var text = new StringBuilder((await stream.NextAsync("snapshot")).Frame.Text("text"));
        Assert.StartsWith(text.ToString(), Question);
        Assert.NotEqual(0, text.Length);
        StreamedFrame frame;
        while ((frame = (await stream.NextAsync())!).Type == "delta")
        {
            text.Append(frame.Frame.Text("text"));
        }

        Assert.Equal(("done", "completed", Question), (frame.Type, frame.Frame.Text("status"), text.ToString()));
        var response = await basic.ExpectAsync("response");
        Assert.Equal((Question, "q-2", "completed"), (response.Text("data"), response.Text("question_id"), response.Text("status")));
        Assert.Single(basic.Frames);
    }

    private string Events => $"/v1/sessions/{_session}/events";

    private static async Task<ReferenceQuestion> FollowedAsync(ReferenceClient follower, string id)
    {
        await follower.PumpUntilAsync(() => follower.Questions.ContainsKey(id), "the question of the other socket");
        return follower.Questions[id];
    }

    /// <summary>How many times a socket was sent the end of a question. A final snapshot counts as well, because no <c>done</c> follows it.</summary>
    private static int Ends(ReferenceClient client, string id) => client.Socket.Frames
        .Select(frame => JsonSerializer.Deserialize<JsonElement>(frame))
        .Count(frame => frame.Text("question_id") == id && frame.Text("status") is "completed" or "failed" && !frame.Flag("duplicate"));
}
