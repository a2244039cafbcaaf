using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using OrleansSessions.TestKit.Upstream;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A node of three is lost while a model answers through it.</summary>
public sealed class RecoveredModelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _session = Names.Session("model");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NodeLoss.Kill)]
    [InlineData(NodeLoss.Freeze)]
    public async Task AModelWhoseNodeIsLost_IsAskedOnceMore_AndWhatTheFirstAttemptStillSaysIsNotTaken(NodeLoss loss)
    {
        // 1. A model has begun to answer through a node.
        await using var upstream = await FakeOpenAIServer.StartAsync();
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, lost) = await nodes.AddThreeAsync(Settings(upstream));
        await lost.Http.AskAsync(_session, """{"question":"Tell me all.","id":"q-1"}""");
        var first = await NextAsync(upstream);
        await first.SendAsync("Half an ");
        await using var follower = new ReferenceClient(query => one.Socket(_session, query));
        await follower.ConnectAsync();
        await follower.PumpUntilAsync(() => follower.Questions.ContainsKey("q-1"), "the question");
        await nodes.UntilTextIsSavedAsync(_session);
        var epoch = follower.Epoch;

        // 2. The node is lost. The model is asked again, and until it answers there is no text.
        lost.Lose(loss);
        var second = await NextAsync(upstream);
        Assert.Equal(first.Messages, second.Messages);
        await follower.PumpUntilAsync(() => follower.Epoch != epoch, "a new epoch");
        var question = follower.Questions["q-1"];
        await follower.PumpUntilAsync(() => question.Answer.Length == 0, "a snapshot without text");
        var recovering = await two.Http.QuestionAsync(_session, "q-1");
        Assert.Equal(("recovering", 2), (recovering.Text("state"), recovering.Number("attempt")));

        // 3. It answers. What the hung node still gets from the first attempt is not taken.
        await second.AnswerAsync("The whole ", "answer.");
        await follower.PumpUntilDoneAsync(question);
        Assert.Equal(("The whole answer.", "completed"), (question.Answer.ToString(), question.Status));
        if (loss == NodeLoss.Freeze)
        {
            await first.AnswerAsync("answer.");
            lost.Thaw();
            await lost.ExitAsync(Patience);
        }

        foreach (var node in new[] { one, two })
        {
            var ended = await node.Http.QuestionAsync(_session, "q-1");
            Assert.Equal(("The whole answer.", "completed", 2), (ended.Text("text"), ended.Text("state"), ended.Number("attempt")));
        }
    }

    [Fact]
    public async Task AModelThatMayBeAskedOnce_EndsAsLost_WithTheTextThatWasSaved_AndTheNextQuestionIsAsked()
    {
        await using var upstream = await FakeOpenAIServer.StartAsync();
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, _, lost) = await nodes.AddThreeAsync([.. Settings(upstream), "Sessions:MaxAttempts=1"]);
        await lost.Http.AskAsync(_session, """{"question":"Tell me all.","id":"q-1"}""");
        await lost.Http.AskAsync(_session, """{"question":"And then?","id":"q-2","if_busy":"queue"}""");
        await (await NextAsync(upstream)).SendAsync("Half an ");
        await nodes.UntilTextIsSavedAsync(_session);

        lost.Kill();
        await Eventually.TrueAsync(async () => (await one.Http.QuestionAsync(_session, "q-1")).Text("state") == "failed", "the question has ended");

        var ended = await one.Http.QuestionAsync(_session, "q-1");
        Assert.Equal((DoneReasons.ResponderLost, "Half an ", 1), (ended.Text("reason"), ended.Text("text"), ended.Number("attempt")));
        var next = await NextAsync(upstream);
        Assert.Equal("And then?", next.Messages[^1].Text);
        await next.AnswerAsync("Then this.");
        await Eventually.TrueAsync(async () => (await one.Http.QuestionAsync(_session, "q-2")).Text("text") == "Then this.", "the next question is answered");
    }

    private static string[] Settings(FakeOpenAIServer upstream) =>
    [
        "Responder:Name=openai", $"Responder:OpenAI:Endpoint={upstream.Endpoint}", "Responder:OpenAI:Model=fake", "Sessions:CheckpointInterval=00:00:00.100",
    ];

    private static Task<FakeOpenAIExchange> NextAsync(FakeOpenAIServer upstream) => upstream.NextAsync(Token).WaitAsync(Patience, TimeProvider.System, Token);
}
