using OrleansSessions.Protocol;
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

        var reply = _bed.Session.Respond(null, "because", isAttended: true, _bed.Now);

        Assert.Equal((AnswerOutcome.Taken, "a", true), (reply.Outcome, reply.QuestionId, reply.IsDelivered));
        Assert.Equal(("because", QuestionStatus.Completed), (_bed.Session.DescribeQuestion("a", _bed.Now)!.Text, _bed.Session.DescribeQuestion("a", _bed.Now)!.Status));
    }

    [Fact]
    public void Respond_WhereNothingIsOpen_SaysSo()
    {
        Assert.Equal(AnswerOutcome.NoOpenQuestion, _bed.Session.Respond(null, "x", true, _bed.Now).Outcome);
        Assert.Equal(AnswerOutcome.NotFound, _bed.Session.Respond("z", "x", true, _bed.Now).Outcome);
        _bed.Ask("a");
        _bed.Session.Respond(null, "x", true, _bed.Now);
        Assert.Equal((AnswerOutcome.AlreadyDone, QuestionStatus.Completed), Outcome(_bed.Session.Respond("a", "y", true, _bed.Now)));
    }

    [Fact]
    public void Respond_ToAQuestionThatThisServerAnswers_IsRefused()
    {
        var bed = new SessionTestBed();
        bed.Ask("a");

        Assert.Equal(AnswerOutcome.NoOpenQuestion, bed.Session.Respond("a", "x", true, bed.Now).Outcome);
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
        Assert.Equal("aébc", _bed.Session.DescribeQuestion("a", _bed.Now)!.Text);
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

        var reply = _bed.Session.AppendFromOutside(new AppendRequest("a", attempt, offset, text, false), _bed.Now);

        Assert.Equal((expected, 3L), (reply.Outcome, reply.Offset));
        Assert.Equal("abc", _bed.Session.DescribeQuestion("a", _bed.Now)!.Text);
    }

    [Fact]
    public void Append_AfterACancel_LearnsOfIt()
    {
        _bed.Ask("a");
        Append(0, "abc");
        _bed.Session.Cancel("a", _bed.Now);

        var reply = _bed.Session.AppendFromOutside(new AppendRequest("a", 1, 3, "d", false), _bed.Now);

        Assert.Equal((AnswerOutcome.AlreadyDone, QuestionStatus.Cancelled), (reply.Outcome, reply.Status));
    }

    [Fact]
    public void Append_WithAnError_EndsTheQuestionAsFailed()
    {
        _bed.Ask("a");

        _bed.Session.AppendFromOutside(new AppendRequest("a", 1, 0, "", false, "overloaded", "try later"), _bed.Now);

        Assert.Equal(("a", QuestionStatus.Failed, DoneReasons.ResponderError), Assert.Single(_bed.Ended));
        Assert.Equal("overloaded: try later", _bed.Session.DescribeQuestion("a", _bed.Now)!.End!.Message);
    }

    [Fact]
    public void OnlyTheTotalTimer_CountsForAnAnswerFromOutside()
    {
        _bed.Ask("a");
        Append(0, "abc");

        Assert.Equal(_bed.Now + _bed.Options.AnswerTimeout, _bed.Session.NextDeadline());
    }

    private static (AnswerOutcome Outcome, QuestionStatus? Status) Outcome(RespondReply reply) => (reply.Outcome, reply.Status);

    private (AnswerOutcome Outcome, long Offset) Append(long offset, string text, bool isFinal = false)
    {
        var reply = _bed.Session.AppendFromOutside(new AppendRequest("a", 1, offset, text, isFinal), _bed.Now);
        return (reply.Outcome, reply.Offset);
    }
}
