using OrleansSessions.EndToEndTests.Servers;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>A node of three is lost while a worker answers a question from outside.</summary>
public sealed class RecoveredOutsideAnswerTests
{
    private readonly string _session = Names.Session("worker");

    [Theory]
    [InlineData(NodeLoss.Kill)]
    [InlineData(NodeLoss.Freeze)]
    public async Task AWorker_GoesOnAtTheExpectedOffset_UnderTheSameAttempt_ThroughAnotherNode(NodeLoss loss)
    {
        // 1. A worker has answered half, and that much is saved.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, lost) = await nodes.AddThreeAsync("Sessions:CheckpointInterval=00:00:00.100");
        await lost.Http.AskAsync(_session, """{"question":"go","id":"q-1"}""");
        await lost.Http.AnswerAsync(_session, "q-1", 0, "half an ");
        await nodes.UntilTextIsSavedAsync(_session);
        await using var follower = new ReferenceClient(query => one.Socket(_session, query));
        await follower.ConnectAsync();
        await follower.PumpUntilAsync(() => follower.Questions.ContainsKey("q-1"), "the question");

        // 2. The node is lost. The worker sends from a place that no one has, and learns where to go on.
        lost.Lose(loss);
        HttpAnswer refused = null!;
        await Eventually.TrueAsync(
            async () => (refused = await two.Http.AnswerAsync(_session, "q-1", 100, "too far")).Body.Text("code") == WireErrors.OffsetMismatch.Code,
            "another node takes pieces");
        Assert.Equal("half an ".Length, refused.Body.Number("expected_offset"));
        Assert.Equal(("recovering", 1), await StateAsync(two));
        (await two.Http.AnswerAsync(_session, "q-1", 8, "answer", attempt: 2)).IsError(WireErrors.StaleAttempt, "q-1");

        // 3. It goes on from there, and its end is the only one.
        await two.Http.AnswerAsync(_session, "q-1", 8, "answer");
        Assert.Equal(("answering", 1), await StateAsync(one));
        await one.Http.AnswerAsync(_session, "q-1", 14, "", isFinal: true);
        var question = follower.Questions["q-1"];
        await follower.PumpUntilDoneAsync(question);
        Assert.Equal(("half an answer", "completed"), (question.Answer.ToString(), question.Status));

        // 4. A late piece is refused, also by the node that hung.
        (await one.Http.AnswerAsync(_session, "q-1", 8, "answer?", isFinal: true)).IsError(WireErrors.AlreadyDone, "q-1");
        if (loss == NodeLoss.Freeze)
        {
            var late = lost.Http.AnswerAsync(_session, "q-1", 8, "answer?", isFinal: true);
            lost.Thaw();
            await lost.ExitAsync(TimeSpan.FromSeconds(10));
            await Record.ExceptionAsync(() => late);
        }

        var ended = await two.Http.QuestionAsync(_session, "q-1");
        Assert.Equal(("half an answer", "completed"), (ended.Text("text"), ended.Text("state")));
    }

    [Fact]
    public async Task PiecesAfterTheLastSave_AreSentAgain_FromTheExpectedOffset()
    {
        // Only whole answers are saved, so nothing of this one is.
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, two, lost) = await nodes.AddThreeAsync("Sessions:CheckpointInterval=00:00:00");
        await lost.Http.AskAsync(_session, """{"question":"go","id":"q-1"}""");
        await lost.Http.AnswerAsync(_session, "q-1", 0, "half an ");
        await using var follower = new ReferenceClient(query => one.Socket(_session, query));
        await follower.ConnectAsync();
        await follower.PumpUntilAsync(() => follower.Questions.ContainsKey("q-1"), "the question");
        var question = follower.Questions["q-1"];
        Assert.Equal("half an ", question.Answer.ToString());

        lost.Kill();
        await follower.PumpUntilAsync(() => question.Answer.Length == 0, "the text that was not saved is withdrawn");
        var refused = await two.Http.AnswerAsync(_session, "q-1", 8, "answer", isFinal: true);
        Assert.Equal(0, refused.IsError(WireErrors.OffsetMismatch, "q-1").Number("expected_offset"));
        await two.Http.AnswerAsync(_session, "q-1", 0, "half an answer", isFinal: true);

        await follower.PumpUntilDoneAsync(question);
        Assert.Equal(("half an answer", "completed"), (question.Answer.ToString(), question.Status));
    }

    [Fact]
    public async Task AQuestionWhoseTimePassesWhileItsNodeIsLost_EndsTimeoutTotal_WhenSomeoneLooks()
    {
        await using var nodes = await NodeSet.StartAsync(RedisFlavour.RedisServer);
        var (one, _, lost) = await nodes.AddThreeAsync("Sessions:AnswerTimeout=00:00:02");
        var asked = await lost.Http.AskAsync(_session, """{"question":"go","id":"q-1"}""");
        Assert.Equal(202, (int)asked.Status);

        // A frozen node is missed after more than 2 s, so no activation is there when the time is over.
        lost.Freeze();
        await Eventually.TrueAsync(async () => (await one.Http.QuestionAsync(_session, "q-1")).Text("question") == "go", "another node answers");

        var ended = await one.Http.QuestionAsync(_session, "q-1");
        Assert.Equal(("timeout", DoneReasons.TimeoutTotal), (ended.Text("state"), ended.Text("reason")));
        Assert.Equal("idle", (await one.Http.CallAsync(HttpMethod.Get, $"/v1/sessions/{_session}")).Body.Text("state"));
    }

    private async Task<(string? State, long? Attempt)> StateAsync(ServerProcess node)
    {
        var question = await node.Http.QuestionAsync(_session, "q-1");
        return (question.Text("state"), question.Number("attempt"));
    }
}
