using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>The options of a question, as the rules of a session see them: something that the responder accepts or refuses.</summary>
public sealed class OptionsAdmissionTests
{
    private const string Options = """{"temperature":9}""";

    private readonly SessionTestBed _bed = new(configure: options => options.MaxQueuedQuestions = 1);
    private readonly List<string> _checked = [];

    public OptionsAdmissionTests() => _bed.CheckOptions = json =>
    {
        _checked.Add(json);
        return new("temperature", "Too hot.");
    };

    [Theory]
    [InlineData(IfBusy.Reject)]
    [InlineData(IfBusy.Queue)]
    [InlineData(IfBusy.Replace)]
    public void BadOptions_WinOverBusy_AndChangeNothing(IfBusy ifBusy)
    {
        _bed.Ask("running");
        _bed.Say("some");
        _bed.Ask("waiting", ifBusy: IfBusy.Queue);
        var before = _bed.Events().Count;

        var reply = _bed.Ask("new", ifBusy: ifBusy, options: Options);

        Assert.Equal(
            (AskOutcome.BadOptions, "new", "temperature", "Too hot.", null),
            (reply.Outcome, reply.QuestionId, reply.FaultyOption, reply.FaultMessage, reply.ActiveQuestionId));
        Assert.Equal(("running", "waiting"), (_bed.Session.Running?.Id, _bed.Session.Waiting.Single().Id));
        Assert.Equal(before, _bed.Events().Count);
        Assert.Empty(_bed.Ended);
        Assert.Null(_bed.Session.View.Question("new", _bed.Now));
    }

    [Fact]
    public void BadOptions_EndNoOrphan()
    {
        _bed.Ask("orphan", connection: "gone", isOrphanable: true);
        _bed.Session.Orphans.Forget("gone");

        Assert.Equal(AskOutcome.BadOptions, _bed.Ask("new", options: Options).Outcome);
        Assert.Equal("orphan", _bed.Session.Running?.Id);
        Assert.Equal(AskOutcome.Accepted, _bed.Ask("new").Outcome);
    }

    [Fact]
    public void ACheckThatThrows_ChangesNothing_AlsoWhenItWouldReplace()
    {
        _bed.Ask("running");
        _bed.CheckOptions = _ => throw new FormatException();

        Assert.Throws<FormatException>(() => _bed.Ask("new", ifBusy: IfBusy.Replace, options: Options));

        Assert.Equal("running", _bed.Session.Running?.Id);
        Assert.Empty(_bed.Ended);
        Assert.Equal(AskOutcome.Busy, _bed.Ask("new").Outcome);
    }

    [Fact]
    public void ATextThatCannotBeAsked_IsRefusedBeforeItsOptionsAreChecked()
    {
        _bed.Options.MaxQuestionBytes = 3;

        Assert.Equal(AskOutcome.Empty, _bed.Ask("new", "", options: Options).Outcome);
        Assert.Equal(AskOutcome.TooLarge, _bed.Ask("new", "long", options: Options).Outcome);
        Assert.Empty(_checked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ARepeatedId_IsADuplicateOrAConflict_WhateverItsOptions(bool hasEnded)
    {
        _bed.CheckOptions = json =>
        {
            _checked.Add(json);
            return null;
        };
        _bed.Ask("a", options: """{"model":"m"}""");
        if (hasEnded)
        {
            _bed.Complete();
        }

        Assert.Equal(AskOutcome.Duplicate, _bed.Ask("a", options: Options).Outcome);
        Assert.Equal(AskOutcome.Duplicate, _bed.Ask("a").Outcome);
        Assert.Equal(AskOutcome.Conflict, _bed.Ask("a", "other", options: Options).Outcome);
        Assert.Equal(["""{"model":"m"}"""], _checked);
        Assert.Equal(hasEnded ? null : """{"model":"m"}""", _bed.Session.ToRecord(_bed.Now).Questions[0].OptionsJson);
    }

    [Fact]
    public void AQuestionWithoutOptions_IsNotChecked()
    {
        Assert.Equal(AskOutcome.Accepted, _bed.Ask("a").Outcome);
        Assert.Empty(_checked);
    }

    [Fact]
    public void GoodOptions_MeetTheSameRulesAsNone()
    {
        _bed.CheckOptions = _ => null;
        _bed.Ask("running");

        Assert.Equal(AskOutcome.Busy, _bed.Ask("new", options: Options).Outcome);
        Assert.Equal(AskOutcome.Accepted, _bed.Ask("waiting", ifBusy: IfBusy.Queue, options: Options).Outcome);
        Assert.Equal(AskOutcome.QueueFull, _bed.Ask("new", ifBusy: IfBusy.Queue, options: Options).Outcome);
    }

    [Fact]
    public void TheWeightOfAStoredQuestion_CountsItsOptions_AndWhoAsked()
    {
        _bed.CheckOptions = _ => null;
        _bed.Ask("a");
        var without = _bed.Session.ToRecord(_bed.Now).Weight;
        var other = new SessionTestBed();
        other.Ask(new()
        {
            QuestionId = "a",
            Question = "why",
            OptionsJson = new string('o', 100),
            Caller = new() { Subject = new string('s', 10), TraceParent = new string('t', 55) },
        });

        Assert.Equal(without + (2 * 165), other.Session.ToRecord(other.Now).Weight);
    }
}
