using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>A process is lost in mid-answer, and another one takes its session up.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public async Task Continue_HandsTheSavedTextOver_AndTheAnswerGoesOnInANewEpoch()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.Continue);
        await pair.CrashInAnswerAsync("s", "a", "why", "one ");
        var session = pair.Second.Session("s");
        await using var gateway = await GatewayListener.StartAsync(pair.Second.Cluster.Orleans.Client);
        var script = pair.Second.Cluster.Responder.For("why");

        var attached = await session.AttachAsync(gateway.Id, wantsSnapshot: true);
        await script.Started.WaitAsync(StoredCluster.Patience);

        Assert.Equal(("one ", 2), (script.Latest!.AnswerSoFar, script.Latest.Attempt));
        Assert.Equal([("a", QuestionStatus.Recovering)], attached.Open.Select(open => (open.QuestionId, open.State)));
        Assert.Equal(("one ", 2, QuestionStatus.Recovering), (attached.Snapshot!.Text, attached.Snapshot.Attempt, attached.Snapshot.Status));
        Assert.Equal(QuestionStatus.Recovering, Assert.Single((await session.DescribeAsync())!.Open).Status);

        script.Send("two");
        var text = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Delta);
        Assert.Equal(QuestionStatus.Answering, (await session.GetQuestionAsync("a"))!.Status);
        script.Finish();
        var done = await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
        Assert.Equal((attached.Seq + 1, "two"), (text[^1].Seq, text[^1].Text));
        Assert.Equal((attached.Seq + 2, QuestionStatus.Completed), (done[^1].Seq, done[^1].End!.Status));
        Assert.Equal("one two", (await session.GetQuestionAsync("a"))!.Text);
    }

    [Fact]
    public async Task ARecoveredSession_HasANewEpoch_AndAnyReaderOfTheOldOneGetsASnapshot()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.Continue);
        await pair.First.AnswerAsync("s", "old", "old", "answer");
        await pair.CrashInAnswerAsync("s", "a", "why", "one ");
        var before = (await pair.First.Session("s").AttachAsync("g", wantsSnapshot: false)).Epoch;

        var session = pair.Second.Session("s");
        var piece = await session.ReadLogAsync(before, 1);

        Assert.NotEqual(before, piece.Epoch);
        Assert.Equal((LogReadOutcome.EpochChanged, "one "), (piece.Outcome, piece.Snapshot!.Text));
        Assert.Equal([("a", QuestionStatus.Recovering)], piece.Open.Select(open => (open.QuestionId, open.State)));
        Assert.Equal("answer", (await session.GetQuestionAsync("old"))!.Text);
        Assert.Equal(AskOutcome.Duplicate, (await session.AskAsync("a", "why")).Outcome);
        Assert.Equal(AskOutcome.Busy, (await session.AskAsync("b", "b")).Outcome);
    }

    [Fact]
    public async Task AskAgain_WithdrawsTheText_AndIsGivenUpAfterMaxAttempts()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.AskAgain);
        await pair.CrashInAnswerAsync("s", "a", "why", "one ");
        var session = pair.Second.Session("s");
        var script = pair.Second.Cluster.Responder.For("why");

        var recovered = (await session.GetQuestionAsync("a"))!;
        await script.Started.WaitAsync(StoredCluster.Patience);
        Assert.Equal(("", 2, QuestionStatus.Recovering), (recovered.Text, recovered.Attempt, recovered.Status));
        Assert.Equal(("", 2), (script.Latest!.AnswerSoFar, script.Latest.Attempt));

        // The second process is lost as well; here its activation leaves.
        script.Send("again ");
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.Text == "again ", "the second attempt has text");
        await pair.Second.SleepAsync("s");
        var ended = (await session.GetQuestionAsync("a"))!;
        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost, "again "), (ended.Status, ended.End!.Reason, ended.Text));
    }

    [Fact]
    public async Task AskAgain_LeavesNothingOfTheWithdrawnTextInTheStore()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.AskAgain);
        await pair.CrashInAnswerAsync("s", "a", "why", new string('x', 20_000));
        pair.Second.Cluster.Responder.For("why").Send("all of it").Finish();

        await pair.Second.EndOfAsync("s", "a");

        await Eventually.TrueAsync(
            () => pair.Second.Rows.Of(StoredCluster.Key("s")).Keys.All(slot => !slot.StartsWith("chunk.", StringComparison.Ordinal)), "the chunks are removed");
    }

    [Fact]
    public async Task Fail_EndsResponderLost_WithTheTextThatWasSaved_AndTheQueueGoesOn()
    {
        await using var pair = await FailoverPair.StartAsync();
        pair.First.Cluster.Responder.For("why").Send("saved ");
        await pair.First.Session("s").AskAsync("a", "why");
        await pair.SavedAsync("s", "saved ");
        await pair.First.Session("s").AskAsync("b", "b", IfBusy.Queue);
        pair.Crash("s");
        pair.First.Cluster.Responder.For("why").Send("lost");
        pair.Second.Cluster.Responder.For("b").Send("next").Finish();

        var ended = await pair.Second.EndOfAsync("s", "a");
        var next = await pair.Second.EndOfAsync("s", "b");

        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost, "saved "), (ended.Status, ended.End!.Reason, ended.Text));
        Assert.Equal((QuestionStatus.Completed, "next"), (next.Status, next.Text));
        Assert.Equal(0, pair.Second.Cluster.Responder.For("why").Runs);
    }

    [Fact]
    public async Task Continue_IsGivenUpAfterAttemptsThatSavedNothing()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.Continue);
        await pair.CrashInAnswerAsync("s", "a", "why", "one ");
        var session = pair.Second.Session("s");
        for (var attempt = 2; attempt <= 3; attempt++)
        {
            var recovered = (await session.GetQuestionAsync("a"))!;
            Assert.Equal((attempt, QuestionStatus.Recovering), (recovered.Attempt, recovered.Status));
            await pair.Second.SleepAsync("s");
        }

        // The first attempt had text. The two after it had none, and two is the limit.
        var ended = (await session.GetQuestionAsync("a"))!;
        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost, "one "), (ended.Status, ended.End!.Reason, ended.Text));
    }

    [Fact]
    public async Task AQuestionForAnotherResponder_EndsResponderLost_WithItsText()
    {
        await using var pair = await FailoverPair.StartAsync(RecoveryMode.Continue, secondResponder: "echo");
        await pair.CrashInAnswerAsync("s", "a", "why", "one ");

        var ended = await pair.Second.EndOfAsync("s", "a");

        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost, "one "), (ended.Status, ended.End!.Reason, ended.Text));
    }

    [Fact]
    public async Task AnswersFromOutside_GoOnUnderTheSameAttempt_AtTheOffsetThatTheReplyNames()
    {
        await using var pair = await FailoverPair.StartAsync(responderName: "external");
        var (first, second) = (pair.First.Session("s"), pair.Second.Session("s"));
        await first.AskAsync("a", "why");
        await AppendAsync(first, 0, "saved ");
        await pair.SavedAsync("s", "saved ");
        pair.Crash("s");
        await AppendAsync(first, 6, "lost ");

        var late = await second.AnswerAsync(Piece(11, "more"));
        Assert.Equal((AnswerOutcome.OffsetMismatch, 6), (late.Outcome, late.Offset));
        Assert.Equal((1, QuestionStatus.Recovering, "saved "), await SeenAsync(second));
        Assert.Equal(AnswerOutcome.Taken, (await second.AnswerAsync(Piece(6, "lost "))).Outcome);
        Assert.Equal(AnswerOutcome.Taken, (await second.AnswerAsync(Piece(11, "more") with { IsFinal = true })).Outcome);
        Assert.Equal((1, QuestionStatus.Completed, "saved lost more"), await SeenAsync(second));
    }

    private static AnswerRequest Piece(long offset, string text) => new() { QuestionId = "a", Attempt = 1, Offset = offset, Text = text };

    private static async Task AppendAsync(ISessionGrain session, long offset, string text) =>
        Assert.Equal(AnswerOutcome.Taken, (await session.AnswerAsync(Piece(offset, text))).Outcome);

    private static async Task<(int Attempt, QuestionStatus Status, string Text)> SeenAsync(ISessionGrain session) =>
        await session.GetQuestionAsync("a") is { } question ? (question.Attempt, question.Status, question.Text) : default;
}
