using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class OutsideAnswerTests
{
    private readonly SessionTestBed _bed = new(isAnsweredFromOutside: true);

    [Fact]
    public void Respond_WithoutAnId_AnswersTheRunningQuestion()
    {
        _bed.Ask("a");

        var reply = _bed.Respond(null, "because");

        Assert.Equal((AnswerOutcome.Taken, "a", true), (reply.Outcome, reply.QuestionId, reply.IsDelivered));
        Assert.Equal(("because", QuestionStatus.Completed), (_bed.Session.View.Question("a", _bed.Now)!.Text, _bed.Session.View.Question("a", _bed.Now)!.Status));
    }

    [Fact]
    public void Respond_WhereNothingIsOpen_SaysSo()
    {
        Assert.Equal(AnswerOutcome.NoOpenQuestion, _bed.Respond(null, "x").Outcome);
        Assert.Equal(AnswerOutcome.NotFound, _bed.Respond("z", "x").Outcome);
        _bed.Ask("a");
        _bed.Respond(null, "x");
        Assert.Equal((AnswerOutcome.AlreadyDone, QuestionStatus.Completed), Outcome(_bed.Respond("a", "y")));
    }

    [Fact]
    public void Respond_ToAQuestionThatThisServerAnswers_IsRefused()
    {
        var bed = new SessionTestBed();
        bed.Ask("a");

        Assert.Equal(AnswerOutcome.NoOpenQuestion, bed.Respond("a", "x").Outcome);
        Assert.Equal("a", bed.Session.Running!.Id);
    }

    [Fact]
    public void Append_InPieces_CountsUtf8BytesAndTakesRepeats()
    {
        _bed.Ask("a");

        Assert.Equal((AnswerOutcome.Taken, 3L), Append(0, "aé"));
        Assert.Equal((AnswerOutcome.Taken, 3L), Append(0, "aé"));
        Assert.Equal((AnswerOutcome.Taken, 4L), Append(3, "b"));
        Assert.Equal((AnswerOutcome.Taken, 5L), Append(4, "c", isFinal: true));
        Assert.Equal((AnswerOutcome.Taken, 5L), Append(4, "c", isFinal: true));
        Assert.Equal("aébc", _bed.Session.View.Question("a", _bed.Now)!.Text);
        Assert.Single(_bed.Ended);
    }

    [Theory]
    [InlineData(1, 7, "x", AnswerOutcome.OffsetMismatch)]
    [InlineData(1, 0, "other", AnswerOutcome.OffsetMismatch)]
    [InlineData(1, -1, "x", AnswerOutcome.OffsetMismatch)]
    [InlineData(1, long.MaxValue, "x", AnswerOutcome.OffsetMismatch)]
    [InlineData(2, 3, "x", AnswerOutcome.StaleAttempt)]
    public void Append_ThatDoesNotFit_ChangesNothing(int attempt, long offset, string text, AnswerOutcome expected)
    {
        _bed.Ask("a");
        Append(0, "abc");

        var reply = _bed.Append("a", offset, text, attempt: attempt);

        Assert.Equal((expected, 3L), (reply.Outcome, reply.Offset));
        Assert.Equal("abc", _bed.Session.View.Question("a", _bed.Now)!.Text);
    }

    [Fact]
    public void Append_AfterACancel_LearnsOfIt()
    {
        _bed.Ask("a");
        Append(0, "abc");
        _bed.Session.Cancel("a", _bed.Now);

        var reply = _bed.Append("a", 3, "d");

        Assert.Equal((AnswerOutcome.AlreadyDone, QuestionStatus.Cancelled), (reply.Outcome, reply.Status));
    }

    [Fact]
    public void Append_WithAnError_EndsTheQuestionAsFailed()
    {
        _bed.Ask("a");

        _bed.Append("a", 0, "", error: "overloaded", message: "try later");

        Assert.Equal(("a", QuestionStatus.Failed, DoneReasons.ResponderError), Assert.Single(_bed.Ended));
        Assert.Equal("overloaded: try later", _bed.Session.View.Question("a", _bed.Now)!.End!.Message);
    }

    [Fact]
    public void WhoAnswersAQuestion_IsStoredWithIt()
    {
        _bed.Ask("a");
        _bed.Ask("b", ifBusy: IfBusy.Queue);
        var elsewhere = new Session(_bed.Options, new ResponderRegistration("echo", typeof(IResponder)), RecoveryMode.Fail, _ => null, epoch: 2);
        elsewhere.Restore(SavedSession.Of(_bed.Session.ToRecord(_bed.Now)), newEpoch: 3, _bed.Now);

        Assert.Equal(("b", "test"), (elsewhere.Running!.Id, elsewhere.Running.Responder));
        Assert.Equal(AnswerOutcome.Taken, elsewhere.Answer(new() { Text = "because" }, isAttended: false, _bed.Now).Outcome);
    }

    [Fact]
    public void AWholeAnswerToAnEarlierAttempt_IsStale()
    {
        _bed.Ask("a");
        Assert.Equal(AnswerOutcome.StaleAttempt, _bed.Session.Answer(new() { Attempt = 7, Text = "x" }, true, _bed.Now).Outcome);
    }

    [Fact]
    public void OnlyTheTotalTimer_CountsForAnAnswerFromOutside()
    {
        _bed.Ask("a");
        Append(0, "abc");

        Assert.Equal(_bed.Now + _bed.Options.AnswerTimeout, _bed.Session.NextDeadline());
    }

    private static (AnswerOutcome Outcome, QuestionStatus? Status) Outcome(AnswerReply reply) => (reply.Outcome, reply.Status);

    private (AnswerOutcome Outcome, long Offset) Append(long offset, string text, bool isFinal = false)
    {
        var reply = _bed.Append("a", offset, text, isFinal);
        return (reply.Outcome, reply.Offset);
    }
}
