using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionStateTests
{
    [Fact]
    public void Restore_WithoutAnOpenQuestion_GoesOnInTheSameNumbers()
    {
        var before = Play();
        var after = before.Restore(newEpoch: 99);

        Assert.Equal((1L, before.Session.Log.Head), (after.Log.Epoch, after.Log.Head));
        Assert.Equal(before.Session.View.Last(10, before.Now), after.View.Last(10, before.Now));
    }

    [Fact]
    public void Restore_KeepsAllEvents_EvenWhereOthersCameBetweenThoseOfAnAnswer()
    {
        var before = Play();
        var whole = before.Events();

        var after = before.Restore(newEpoch: 99);

        var tail = after.View.ReadLog(1, after.Log.OldestSeq - 1, int.MaxValue, before.Now).Events;
        Assert.Equal(whole.Skip(whole.Count - tail.Length), tail);
        Assert.Equal(whole.Count, tail.Length);
    }

    [Fact]
    public void I3_Restore_WithoutAQuestionThatEndedDuringAnAnswer_TakesItsEventsForNoDeltas()
    {
        var before = new SessionTestBed(configure: options => options.KeptBytes = 500);
        before.Ask("a");
        before.Say("1");
        before.Ask("b", ifBusy: IfBusy.Queue);
        before.Say("2");
        before.Session.Cancel("b", before.Now);
        before.Say(new string('x', 600));
        before.Complete();
        var whole = before.Events();

        var after = before.Restore(newEpoch: 99);

        Assert.Null(after.Find("b"));
        var tail = after.View.ReadLog(1, after.Log.OldestSeq - 1, int.MaxValue, before.Now).Events;
        Assert.Equal(whole.Skip(whole.Count - tail.Length), tail);
    }

    [Fact]
    public void I3_Restore_AfterAQuestionWasLost_TakesNoEventOfTheNewEpochForItsDeltas()
    {
        var bed = new SessionTestBed(configure: options => options.KeptQuestions = 1);
        bed.Ask("a");
        bed.Say("half");
        bed.Ask("b", ifBusy: IfBusy.Queue);
        bed.Now += bed.Options.QueueTimeout;
        var lost = bed.Restore(newEpoch: 99);
        Assert.Equal((null, 3L), (lost.Find("b"), lost.Find("a")!.DoneSeq));

        var after = bed.Restore(lost, newEpoch: 100);

        Assert.Equal((99L, 3L, 3L), (after.Log.Epoch, after.Log.OldestSeq, after.Log.Head));
    }

    [Fact]
    public void Restore_WithAnOpenQuestion_EndsItAsLostInANewEpochAndGoesOnWithTheQueue()
    {
        var before = new SessionTestBed();
        before.Ask("a");
        before.Say("half");
        before.Ask("b", ifBusy: IfBusy.Queue);

        var after = before.Restore(newEpoch: 99);

        Assert.Equal(99, after.Log.Epoch);
        var lost = after.View.Question("a", before.Now)!;
        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost, "half"), (lost.Status, lost.End!.Reason, lost.Text));
        Assert.Equal("b", after.Running!.Id);
        Assert.NotNull(after.NextDeadline());
    }

    [Fact]
    public void Restore_EndsWhatHasWaitedTooLong_BeforeTheNextGetsItsTurn()
    {
        var before = new SessionTestBed();
        before.Ask("a");
        before.Ask("b", ifBusy: IfBusy.Queue);
        before.Now += before.Options.QueueTimeout;
        before.Ask("c", ifBusy: IfBusy.Queue);

        var after = before.Restore(newEpoch: 99);

        Assert.Equal(DoneReasons.QueueTimeout, after.View.Question("b", before.Now)!.End!.Reason);
        Assert.Equal(DoneReasons.ResponderLost, after.View.Question("a", before.Now)!.End!.Reason);
        Assert.Equal("c", after.Running!.Id);
    }

    [Fact]
    public void Restore_InANewEpoch_GivesEarlierQuestionsNoNumberThatIsStillToCome()
    {
        var before = new SessionTestBed();
        before.Ask("a");
        before.Say("all");
        before.Complete();
        before.Ask("b");

        var after = before.Restore(newEpoch: 99);

        Assert.Equal((2L, 2L), (after.Log.OldestSeq, after.Log.Head));
        Assert.Equal((1L, 1L), Numbers("a"));
        Assert.Equal((1L, 2L), Numbers("b"));

        (long Accepted, long Done) Numbers(string id) => (after.View.Question(id, before.Now)!.AcceptedSeq, after.View.Question(id, before.Now)!.DoneSeq);
    }

    [Fact]
    public void Restore_RemembersIds()
    {
        var before = Play();
        var after = before.Restore(newEpoch: 99);

        var again = after.Admission.FindReply(new AskRequest { QuestionId = "a", Question = "why" }, before.Now)!;

        Assert.Equal(AskOutcome.Duplicate, again.Outcome);
    }

    [Fact]
    public void KeptQuestions_AreBoundedInNumberAndBytes_ButTheLastIsAlwaysKept()
    {
        var bed = new SessionTestBed(configure: options => (options.KeptQuestions, options.KeptBytes, options.KeptEvents) = (3, 2000, 5));
        for (var i = 0; i < 20; i++)
        {
            bed.Ask($"q{i}");
            bed.Say(new string('x', i == 19 ? 5000 : 10));
            bed.Complete();
            Assert.InRange(bed.Session.ToRecord(bed.Now).Questions.Count, 1, 3);
            Assert.InRange(bed.Session.Log.Head - bed.Session.Log.OldestSeq + 1, 3, 5);
        }

        Assert.Equal("q19", Assert.Single(bed.Session.ToRecord(bed.Now).Questions).Id);
    }

    /// <summary>Two answers; during the second a queued question is accepted, cancelled, and forgotten by nobody.</summary>
    private static SessionTestBed Play()
    {
        var bed = new SessionTestBed();
        bed.Ask("a");
        bed.Say("1");
        bed.Say("2");
        bed.Complete();
        bed.Ask("b");
        bed.Say("x ");
        bed.Ask("c", ifBusy: IfBusy.Queue);
        bed.Say("y ");
        bed.Session.Cancel("c", bed.Now);
        bed.Say("z");
        bed.Say("!");
        bed.Complete();
        bed.Events();
        return bed;
    }
}
