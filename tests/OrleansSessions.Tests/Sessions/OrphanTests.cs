using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>Questions that a basic socket asked without an id, once that socket is gone or may be.</summary>
public sealed class OrphanTests
{
    private readonly SessionTestBed _bed = new();

    [Fact]
    public void AnOrphansReplacement_RunsAtOnce_AndLeavesOthersQuestionsInTheQueue()
    {
        AskBasic("a", "gone");
        _bed.Ask("b", connection: "other", ifBusy: IfBusy.Queue);
        AskBasic("c", "gone", IfBusy.Queue);
        _bed.Session.Orphans.Forget("gone");

        var reply = _bed.Ask("d");

        Assert.Equal((AskOutcome.Accepted, 0), (reply.Outcome, reply.Position));
        Assert.Equal([("a", QuestionStatus.Cancelled, "replaced"), ("c", QuestionStatus.Cancelled, "replaced")], _bed.Ended);
        Assert.Equal("d", _bed.Session.Running!.Id);
        _bed.Complete();
        Assert.Equal("b", _bed.Session.Running!.Id);
    }

    [Fact]
    public void TheNewestBasicSocket_OutranksAnOlderOneThatIsNotHeardFrom()
    {
        AskBasic("a", "older");
        _bed.Session.Orphans.Outrank("newer");

        Assert.Equal(AskOutcome.Accepted, AskBasic("b", "newer").Outcome);
        Assert.Equal(("a", QuestionStatus.Cancelled, DoneReasons.Replaced), Assert.Single(_bed.Ended));
    }

    [Fact]
    public void AnOlderBasicSocketThatIsHeardAgain_IsNotOutranked()
    {
        AskBasic("a", "older");
        _bed.Session.Orphans.Outrank("newer");

        Assert.Equal(AskOutcome.Busy, AskBasic("b", "older").Outcome);
        Assert.Equal(AskOutcome.Busy, AskBasic("c", "newer").Outcome);
        Assert.Empty(_bed.Ended);
    }

    [Fact]
    public void OnlyTheNewestSocketItself_TakesTheOlderOnesPlace()
    {
        AskBasic("a", "older");
        _bed.Session.Orphans.Outrank("newer");
        _bed.Session.Orphans.Outrank("newest");

        Assert.Equal(AskOutcome.Busy, _bed.Ask("b").Outcome);
        Assert.Equal(AskOutcome.Busy, AskBasic("c", "newer").Outcome);
        Assert.Equal(AskOutcome.Accepted, AskBasic("d", "newest").Outcome);
    }

    [Fact]
    public void AQuestionWithAnId_IsNotOutranked_BecauseItsAnswerCanBeFetched()
    {
        _bed.Ask("a", connection: "older");
        _bed.Session.Orphans.Outrank("newer");

        Assert.Equal(AskOutcome.Busy, AskBasic("b", "newer").Outcome);
    }

    private AskReply AskBasic(string id, string connection, IfBusy ifBusy = IfBusy.Reject) =>
        _bed.Ask(id, ifBusy: ifBusy, connection: connection, isOrphanable: true);
}
