using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.Tests.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>What recovery does to the timers and attempts of a question.</summary>
public sealed class RecoveryRuleTests
{
    private readonly SessionTestBed _bed = new(recovery: RecoveryMode.Continue);

    [Fact]
    public void TheFirstDeltaTimer_StartsAgain_AndTheTotalTimerDoesNot()
    {
        _bed.Ask("a");
        var startedAt = _bed.Now;
        _bed.Now += _bed.Options.FirstDeltaTimeout - TimeSpan.FromSeconds(1);

        var session = _bed.Restore(newEpoch: 2);

        Assert.Equal(_bed.Now + _bed.Options.FirstDeltaTimeout, session.NextDeadline());
        _bed.Now = startedAt + _bed.Options.AnswerTimeout - TimeSpan.FromSeconds(1);
        var late = _bed.Restore(newEpoch: 3);
        Assert.Equal(startedAt + _bed.Options.AnswerTimeout, late.NextDeadline());
    }

    [Fact]
    public void TheSilenceTimer_StartsAgainWithTheFirstSignOfTheNewAttempt()
    {
        _bed.Ask("a");
        _bed.Say("text");
        _bed.Now += _bed.Options.SilenceTimeout + TimeSpan.FromSeconds(30);

        var session = _bed.Restore(newEpoch: 2);

        Assert.Equal(_bed.Now + _bed.Options.FirstDeltaTimeout, session.NextDeadline());
        Assert.True(session.TryAppend(session.Running!, session.Running!.Attempt, "more", _bed.Now));
        Assert.Equal(_bed.Now + _bed.Options.SilenceTimeout, session.NextDeadline());
    }

    [Fact]
    public void ATotalTimerThatPassedMeanwhile_EndsTheQuestion_WithItsText_AndTheNextOneRuns()
    {
        _bed.Ask("a");
        _bed.Say("text");
        _bed.Ask("b", ifBusy: IfBusy.Queue);
        _bed.Options.QueueTimeout = TimeSpan.FromHours(10);
        _bed.Now += _bed.Options.AnswerTimeout;

        var session = _bed.Restore(newEpoch: 2);

        var ended = session.Find("a")!;
        Assert.Equal((QuestionStatus.Timeout, DoneReasons.TimeoutTotal, "text"), (ended.Status, ended.End!.Reason, ended.Answer));
        Assert.Equal(("b", QuestionStatus.Accepted), (session.Running?.Id, session.Running?.Status));
    }

    [Fact]
    public void LateText_OfTheAttemptThatWasLost_IsRefused()
    {
        _bed.Ask("a");
        _bed.Say("one ");
        var lost = _bed.Session.Running!;
        var session = _bed.Restore(newEpoch: 2);

        Assert.False(session.TryAppend(session.Running!, 1, "late", _bed.Now));
        Assert.False(session.TryAppend(lost, 2, "late", _bed.Now));
        Assert.False(session.TryEnd(session.Running!, 1, Ending.Completed, _bed.Now));
        Assert.Equal(("one ", 2, QuestionStatus.Recovering), (session.Running!.Answer, session.Running.Attempt, session.Running.Status));
    }

    [Fact]
    public void AnAttemptThatSavedText_DoesNotCountTowardsMaxAttempts_WhereTheAnswerContinues()
    {
        _bed.Options.MaxAttempts = 2;
        _bed.Ask("a");
        _bed.Say("text ");
        var session = _bed.Session;
        for (var attempt = 2; attempt < 8; attempt++)
        {
            session = _bed.Restore(session, attempt);
            Assert.Equal((attempt, QuestionStatus.Recovering), (session.Running!.Attempt, session.Running.Status));
            Assert.True(session.TryAppend(session.Running, attempt, "more ", _bed.Now));
        }

        Assert.Equal("text more more more more more more ", session.Running!.Answer);
    }

    [Theory]
    [InlineData(RecoveryMode.Continue)]
    [InlineData(RecoveryMode.AskAgain)]
    public void AnAttemptWhoseProcessStoppedInOrder_DoesNotCount_HoweverOftenThatHappens(RecoveryMode mode)
    {
        var bed = new SessionTestBed(recovery: mode);
        bed.Options.MaxAttempts = 2;
        bed.Ask("a");
        var session = bed.Session;
        for (var attempt = 2; attempt < 8; attempt++)
        {
            session.Running!.IsHandedOver = true;
            session = bed.Restore(session, attempt);
            Assert.Equal((attempt, QuestionStatus.Recovering, false), (session.Running!.Attempt, session.Running.Status, session.Running.IsHandedOver));
        }

        // A process that dies counts as before.
        session = bed.Restore(session, 8);
        Assert.Equal(8, session.Running!.Attempt);
        session = bed.Restore(session, 9);
        Assert.Equal(DoneReasons.ResponderLost, session.Find("a")!.End!.Reason);
    }

    [Fact]
    public async Task WithoutAStore_AParkedQuestionIsRecovered_AsItsResponderDeclares()
    {
        await using var cluster = await SessionCluster.StartAsync();
        cluster.Responder.Recovery = RecoveryMode.Continue;
        var (session, script) = (cluster.Session("s"), cluster.Responder.For("why").Send("one "));
        await session.AskAsync("a", "why");
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.Text == "one ", "the text is there");
        await session.AsReference<Orleans.Core.Internal.IGrainManagementExtension>().DeactivateOnIdle();

        var recovered = (await session.GetQuestionAsync("a"))!;
        Assert.Equal(("one ", 2, QuestionStatus.Recovering), (recovered.Text, recovered.Attempt, recovered.Status));
        script.Send("two").Finish();
        await Eventually.TrueAsync(async () => (await session.GetQuestionAsync("a"))!.End is not null, "a has ended");
        Assert.Equal(("one ", "one two"), (script.Latest!.AnswerSoFar, (await session.GetQuestionAsync("a"))!.Text));
    }
}
