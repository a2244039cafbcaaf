using System.Text;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Records;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>What a session takes in and keeps is bounded, in the units that the documents name.</summary>
public sealed class SessionLimitsTests
{
    private const int MaxDeltaBytes = 16 * 1024;

    private readonly SessionTestBed _bed = new();

    [Theory]
    [InlineData("x")]
    [InlineData("\u0001")]
    [InlineData("ä€😀")]
    public void ALongPiece_BecomesARunOfSmallDeltas_ThatJoinToIt(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 60_000 / unit.Length));
        _bed.Ask("a");
        _bed.Say(text);
        _bed.Complete();

        var deltas = _bed.Events().Where(logged => logged.Kind == LogEventKind.Delta).ToList();
        Assert.Equal(text, string.Concat(deltas.Select(delta => delta.Text)));
        Assert.All(deltas, delta => Assert.InRange(Encoding.UTF8.GetByteCount(delta.Text), 1, MaxDeltaBytes));
        Assert.All(deltas, delta => Assert.False(char.IsLowSurrogate(delta.Text[0])));
        Assert.Equal(Enumerable.Range(0, deltas.Count), deltas.Select(delta => delta.Index));
        var end = _bed.Session.View.Question("a", _bed.Now)!.End!;
        Assert.Equal((deltas.Count, Encoding.UTF8.GetByteCount(text)), (end.Deltas, end.Bytes));
        Assert.InRange(deltas.Count, 2, (Encoding.UTF8.GetByteCount(text) / (MaxDeltaBytes - 4)) + 1);
    }

    [Fact]
    public void AWholeResponse_IsCutAtTheLimit_AndStillARunOfSmallDeltas()
    {
        var bed = new SessionTestBed(isAnsweredFromOutside: true, options => options.MaxAnswerBytes = 40_000);
        bed.Ask("a");
        bed.Respond(null, new string('x', 50_000));

        var deltas = bed.Events().Where(logged => logged.Kind == LogEventKind.Delta).ToList();
        Assert.Equal([MaxDeltaBytes, MaxDeltaBytes, 40_000 - (2 * MaxDeltaBytes)], deltas.Select(delta => delta.Text.Length));
        Assert.Equal(DoneReasons.AnswerTooLarge, bed.Session.View.Question("a", bed.Now)!.End!.Reason);
    }

    [Fact]
    public void FortyLongestErrors_StayWithinKeptBytes()
    {
        var bed = new SessionTestBed(isAnsweredFromOutside: true, options => options.KeptBytes = 8_000);
        for (var i = 0; i < 40; i++)
        {
            bed.Ask($"q{i}");
            bed.Append($"q{i}", 0, "", isFinal: true, error: new string('c', 64), message: new string('m', 1024));
        }

        var kept = bed.Session.ToRecord(bed.Now).Questions;
        Assert.Equal("q39", kept[^1].Id);
        Assert.InRange(kept.Sum(question => question.Text.Length + question.Tail.Length + question.End!.Message!.Length), 1_090, 8_000);
        Assert.Equal(new string('c', 64) + ": " + new string('m', 1024), kept[^1].End!.Message);
    }

    [Fact]
    public void KeptBytes_CountsUtf8_NotMemory()
    {
        var bed = new SessionTestBed(configure: options => options.KeptBytes = 3 * (1000 + 5));
        for (var i = 0; i < 6; i++)
        {
            bed.Ask($"q{i}");
            bed.Say(new string('ä', 500));
            bed.Complete();
        }

        Assert.Equal(["q3", "q4", "q5"], bed.Session.ToRecord(bed.Now).Questions.Select(question => question.Id));
    }

    [Fact]
    public void WhatAResponderSaysOfItsEnd_IsCutBetweenScalars()
    {
        _bed.Ask("a");
        _bed.Session.TryEnd(
            _bed.Session.Running!, 1, Ending.Failed(new string('r', 10_000), "x" + string.Concat(Enumerable.Repeat("😀", 10_000))), _bed.Now);

        var end = _bed.Session.View.Question("a", _bed.Now)!.End!;
        Assert.Equal(new string('r', 64), end.Reason);
        Assert.Equal("x" + string.Concat(Enumerable.Repeat("😀", 272)), end.Message);
    }

    [Fact]
    public void WhatOnlyTheResponderNeeds_IsLetGoWhenItsQuestionEnds()
    {
        var caller = new Caller { Subject = "ann", TraceParent = "00-1-2-01" };
        _bed.Ask(new() { QuestionId = "a", Question = "why", MetadataJson = new string('m', 50_000), OptionsJson = "{}", Caller = caller });
        var open = _bed.Session.ToRecord(_bed.Now).Questions[0];
        Assert.Equal((50_000, "{}", "ann", "00-1-2-01"), (open.MetadataJson?.Length, open.OptionsJson, open.User, open.TraceParent));
        _bed.Complete();

        var ended = _bed.Session.ToRecord(_bed.Now).Questions[0];
        Assert.Equal((null, null, null, null), (ended.MetadataJson, ended.OptionsJson, ended.User, ended.TraceParent));
    }

    [Fact]
    public void TheWeightOfAParkedSession_CountsEndsAndMetadata()
    {
        var bare = new QuestionState { Id = "a", Text = "why" };
        var full = new QuestionState
        {
            Id = "a",
            Text = "why",
            MetadataJson = new string('m', 100),
            End = new() { Status = QuestionStatus.Failed, Reason = new string('r', 10), Message = new string('m', 1000) },
        };

        Assert.Equal(2 * (100 + 10 + 1000), full.Weight - bare.Weight);
    }
}
