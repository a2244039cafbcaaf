using OrleansSessions.Grains.Questions;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionTests
{
    private readonly SessionTestBed _bed = new();

    [Fact]
    public void I1_NeverTwoRunning_ASecondAskIsBusyAndChangesNothing()
    {
        _bed.Ask("a");
        _bed.Now += TimeSpan.FromSeconds(5);

        var reply = _bed.Ask("b");

        Assert.Equal(AskOutcome.Busy, reply.Outcome);
        Assert.Equal("a", reply.ActiveQuestionId);
        Assert.Equal(5000, reply.ActiveForMs);
        Assert.Equal("a", _bed.Session.Running!.Id);
        Assert.Equal(1, _bed.Session.Log.Head);
    }

    [Fact]
    public void I2_ExactlyOneDone_WhateverEndsItFirst()
    {
        _bed.Ask("a");
        var question = _bed.Session.Running!;
        _bed.Session.Cancel("a", _bed.Now);

        Assert.False(_bed.Session.TryEnd(question, 1, Ending.Completed, _bed.Now));
        Assert.False(_bed.EndOverdue(_bed.Now + TimeSpan.FromDays(1)));
        Assert.Equal(CancelOutcome.AlreadyDone, _bed.Session.Cancel("a", _bed.Now).Outcome);
        Assert.Single(_bed.Events(), logged => logged.Kind == LogEventKind.Done);
        Assert.Single(_bed.Ended);
    }

    [Fact]
    public void I3_NumbersHaveNoHoleAndNoRepeat_AcrossQueueCancelAndReplace()
    {
        _bed.Ask("a");
        _bed.Say("one ");
        _bed.Ask("b", ifBusy: IfBusy.Queue);
        _bed.Ask("c", ifBusy: IfBusy.Queue);
        _bed.Say("two");
        _bed.Session.Cancel("b", _bed.Now);
        _bed.Complete();
        _bed.Say("three");
        _bed.Ask("d", ifBusy: IfBusy.Replace);

        Assert.Equal(Enumerable.Range(1, 10).Select(seq => (long)seq), _bed.Events().Select(logged => logged.Seq));
    }

    [Fact]
    public void I4_AnOlderAttempt_AppendsNothing()
    {
        _bed.Ask("a");
        var question = _bed.Session.Running!;
        question.Attempt = 2;

        Assert.False(_bed.Session.TryAppend(question, 1, "late", _bed.Now));
        Assert.False(_bed.Session.TryEnd(question, 1, Ending.Completed, _bed.Now));
        Assert.Equal(1, _bed.Session.Log.Head);
    }

    [Fact]
    public void I4_AnEndedQuestion_AppendsNothing()
    {
        _bed.Ask("a");
        var question = _bed.Session.Running!;
        _bed.Session.Cancel(null, _bed.Now);
        _bed.Ask("b");

        Assert.False(_bed.Session.TryAppend(question, 1, "late", _bed.Now));
    }

    [Fact]
    public void I5_AWaitingSession_AlwaysHasADeadline()
    {
        Assert.Null(_bed.Session.NextDeadline());
        _bed.Ask("a");
        Assert.Equal(_bed.Now + _bed.Options.FirstDeltaTimeout, _bed.Session.NextDeadline());
        _bed.Now += TimeSpan.FromSeconds(100);
        _bed.Say("x");
        Assert.Equal(_bed.Now + _bed.Options.SilenceTimeout, _bed.Session.NextDeadline());
        _bed.Ask("b", ifBusy: IfBusy.Queue);
        _bed.Complete();
        Assert.Equal(_bed.Now + _bed.Options.FirstDeltaTimeout, _bed.Session.NextDeadline());
        _bed.Complete();
        Assert.Null(_bed.Session.NextDeadline());
    }

    [Fact]
    public void I6_AfterCancelling_OnlyTheTerminalEventOfThatQuestionFollows()
    {
        _bed.Ask("a");
        _bed.Say("some");
        var question = _bed.Session.Running!;

        var reply = _bed.Session.Cancel("a", _bed.Now);
        _bed.Session.TryAppend(question, 1, "more", _bed.Now);

        var after = _bed.Events().Where(logged => logged.Seq > reply.AfterSeq).ToList();
        var done = Assert.Single(after);
        Assert.Equal((QuestionStatus.Cancelled, DoneReasons.ByClient), (done.End!.Status, done.End.Reason));
    }

    [Fact]
    public void I7_TheJoinedDeltas_EqualTheStoredTextAndItsCounts()
    {
        _bed.Ask("a");
        foreach (var piece in new[] { "Grüße ", "\uD83D", "\uDE00", "", "x\uDC00y", "\uD83D" })
        {
            _bed.Say(piece);
        }

        _bed.Complete();

        var deltas = _bed.Events().Where(logged => logged.Kind == LogEventKind.Delta).ToList();
        var question = _bed.Session.View.Question("a", _bed.Now)!;
        Assert.Equal("Grüße 😀x\uFFFDy\uFFFD", question.Text);
        Assert.Equal(question.Text, string.Concat(deltas.Select(delta => delta.Text)));
        Assert.Equal(Enumerable.Range(0, deltas.Count), deltas.Select(delta => delta.Index));
        Assert.Equal(deltas.Count, question.End!.Deltas);
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(question.Text), question.End.Bytes);
        Assert.DoesNotContain(deltas, delta => delta.Text.Length == 0 || char.IsLowSurrogate(delta.Text[0]));
    }

    [Theory]
    [InlineData(0, 120, DoneReasons.TimeoutFirstDelta)]
    [InlineData(1, 60, DoneReasons.TimeoutIdle)]
    [InlineData(20, 60, DoneReasons.TimeoutTotal)]
    public void EachTimer_EndsTheQuestionWithItsReason(int deltas, int lastWaitSeconds, string reason)
    {
        _bed.Ask("a");
        for (var i = 0; i < deltas; i++)
        {
            _bed.Say("x");
            _bed.Now += TimeSpan.FromSeconds(i + 1 < deltas ? 47 : 0);
        }

        _bed.Now += TimeSpan.FromSeconds(lastWaitSeconds) - TimeSpan.FromMilliseconds(1);
        if (reason != DoneReasons.TimeoutTotal)
        {
            Assert.False(_bed.EndOverdue(_bed.Now));
        }

        Assert.True(_bed.EndOverdue(_bed.Now + TimeSpan.FromMilliseconds(1)));
        Assert.Equal(("a", QuestionStatus.Timeout, reason), Assert.Single(_bed.Ended));
    }

    [Theory]
    [InlineData(20_000.0, true, 20_000L)]
    [InlineData(0.2, true, 1L)]
    [InlineData(0.0, true, 0L)]
    [InlineData(-5_000.0, true, 0L)]
    [InlineData(1e12, true, 86_400_000L)]
    [InlineData(null, true, null)]
    [InlineData(20_000.0, false, null)]
    public void AnAdviceToWait_IsAtMostADay_AndIsGivenOnlyWhereAskingAgainCanSucceed(double? milliseconds, bool isRetryable, long? expected)
    {
        TimeSpan? wait = milliseconds is { } given ? TimeSpan.FromMilliseconds(given) : null;
        _bed.Ask("a");
        _bed.Session.TryEnd(_bed.Session.Running!, 1, Ending.Failed(DoneReasons.ResponderUnavailable, "Full.", isRetryable, wait), _bed.Now);

        Assert.Equal(expected, _bed.Events()[^1].End!.RetryAfterMs);
    }

    [Fact]
    public void Ask_SameIdSameText_IsTheEarlierQuestionWithItsNumbers()
    {
        _bed.Ask("a");
        _bed.Say("because");
        _bed.Complete();
        _bed.Ask("b");

        var again = _bed.Ask("a");

        Assert.Equal((AskOutcome.Duplicate, 1L), (again.Outcome, again.Seq));
        Assert.Equal(("because", 3L), (again.Earlier!.Text, again.Earlier.DoneSeq));
        Assert.Equal("b", _bed.Session.Running!.Id);
    }

    [Fact]
    public void Ask_SameIdOtherText_IsAConflictAndChangesNothing()
    {
        _bed.Ask("a");

        Assert.Equal(AskOutcome.Conflict, _bed.Ask("a", "what").Outcome);
        Assert.Equal(1, _bed.Session.Log.Head);
    }

    [Fact]
    public void Ask_Queue_RunsInOrderAndIsBounded()
    {
        var bed = new SessionTestBed(configure: options => options.MaxQueuedQuestions = 2);
        bed.Ask("a");

        Assert.Equal(1, bed.Ask("b", ifBusy: IfBusy.Queue).Position);
        Assert.Equal(2, bed.Ask("c", ifBusy: IfBusy.Queue).Position);
        Assert.Equal(AskOutcome.QueueFull, bed.Ask("d", ifBusy: IfBusy.Queue).Outcome);
        bed.Complete();
        Assert.Equal("b", bed.Session.Running!.Id);
        bed.Complete();
        Assert.Equal("c", bed.Session.Running!.Id);
    }

    [Fact]
    public void Ask_QueueOnAnIdleSession_RunsAtOnce()
    {
        Assert.Equal((AskOutcome.Accepted, 0), (_bed.Ask("a", ifBusy: IfBusy.Queue).Outcome, _bed.Session.Waiting.Count));
    }

    [Fact]
    public void Ask_Replace_EndsRunningAndQueuedBeforeItsOwnAccepted()
    {
        _bed.Ask("a");
        _bed.Ask("b", ifBusy: IfBusy.Queue);

        var reply = _bed.Ask("c", ifBusy: IfBusy.Replace);

        Assert.Equal([("a", QuestionStatus.Cancelled, "replaced"), ("b", QuestionStatus.Cancelled, "replaced")], _bed.Ended);
        Assert.Equal(5, reply.Seq);
        Assert.Equal("c", _bed.Session.Running!.Id);
        Assert.Empty(_bed.Session.Waiting);
    }

    [Fact]
    public void Ask_WhileAnOrphanIsOpen_ReplacesIt()
    {
        _bed.Ask("a", connection: "c1", isOrphanable: true);
        Assert.Equal(AskOutcome.Busy, _bed.Ask("b").Outcome);
        _bed.Session.Orphans.Forget("c1");

        Assert.Equal(AskOutcome.Accepted, _bed.Ask("b").Outcome);
        Assert.Equal("replaced", Assert.Single(_bed.Ended).Reason);
    }

    [Fact]
    public void QueuedQuestion_WaitsNoLongerThanTheQueueTimeout_AndItsTimersStartWhenItOpens()
    {
        _bed.Ask("a");
        _bed.Ask("b", ifBusy: IfBusy.Queue);
        _bed.Now += TimeSpan.FromMinutes(1);
        _bed.Ask("c", ifBusy: IfBusy.Queue);
        for (var i = 0; i < 5; i++)
        {
            _bed.Say("x");
            _bed.Now += TimeSpan.FromSeconds(48);
        }

        Assert.True(_bed.EndOverdue(_bed.Now));
        Assert.Equal(("b", QuestionStatus.Timeout, DoneReasons.QueueTimeout), Assert.Single(_bed.Ended));
        _bed.Complete();
        Assert.Equal(_bed.Now + _bed.Options.FirstDeltaTimeout, _bed.Session.NextDeadline());
    }

    [Fact]
    public void Answer_OverItsLimit_IsCutAtAScalarAndIncomplete()
    {
        var bed = new SessionTestBed(configure: options => options.MaxAnswerBytes = 6);
        bed.Ask("a");

        bed.Say("abc😀d");

        var question = bed.Session.View.Question("a", bed.Now)!;
        Assert.Equal(("abc", QuestionStatus.Incomplete, DoneReasons.AnswerTooLarge), (question.Text, question.Status, question.End!.Reason));
    }

    [Fact]
    public void History_LeavesOutWhatFailed_AndStaysWithinItsBytes()
    {
        var bed = new SessionTestBed(configure: options => options.HistoryBytes = 12);
        Answer(bed, "1", "first", QuestionStatus.Completed);
        Answer(bed, "2", "no", QuestionStatus.Failed);
        Answer(bed, "3", "mid", QuestionStatus.Incomplete);
        Answer(bed, "4", "end", QuestionStatus.Completed);

        Assert.Equal(["mid", "end"], bed.Session.History().Select(pair => pair.Answer));
    }

    [Theory]
    [InlineData(QuestionStatus.Completed)]
    [InlineData(QuestionStatus.Incomplete)]
    [InlineData(QuestionStatus.Cancelled)]
    public void History_LeavesOutWhatEndedWithoutText_SoThatNoTwoQuestionsFollowEachOther(QuestionStatus status)
    {
        Answer(_bed, "1", "first", QuestionStatus.Completed);
        Answer(_bed, "2", "", status);
        Answer(_bed, "3", "half", status);

        Assert.Equal(["first", "half"], _bed.Session.History().Select(pair => pair.Answer));
    }

    [Fact]
    public void ReadLog_FromAnyPosition_GivesExactlyWhatFollows()
    {
        _bed.Ask("a");
        _bed.Say("x");
        _bed.Say("y");
        _bed.Complete();
        _bed.Events();

        for (var after = 0; after <= 4; after++)
        {
            var piece = _bed.Session.View.ReadLog(1, after, int.MaxValue, _bed.Now);
            Assert.Equal(LogReadOutcome.Recovered, piece.Outcome);
            Assert.Equal(Enumerable.Range(after + 1, 4 - after).Select(seq => (long)seq), piece.Events.Select(logged => logged.Seq));
            Assert.True(piece.IsAtHead);
        }
    }

    [Theory]
    [InlineData(1, 5, LogReadOutcome.Trimmed)]
    [InlineData(2, 0, LogReadOutcome.EpochChanged)]
    [InlineData(0, 0, LogReadOutcome.EpochChanged)]
    public void ReadLog_FromAPositionThatIsNotHeld_SaysWhyAndGivesTheLastAnswer(long epoch, long after, LogReadOutcome expected)
    {
        Answer(_bed, "a", "text", QuestionStatus.Completed);
        _bed.Events();

        var piece = _bed.Session.View.ReadLog(epoch, after, int.MaxValue, _bed.Now);

        Assert.Equal(expected, piece.Outcome);
        Assert.Equal("text", piece.Snapshot!.Text);
    }

    [Fact]
    public void ReadLog_OfASessionNobodyAsked_IsExpiredForAnotherEpoch()
    {
        Assert.Equal(LogReadOutcome.Expired, _bed.Session.View.ReadLog(7, 3, 1000, _bed.Now).Outcome);
    }

    [Fact]
    public void ReadLog_InBoundedPieces_JoinsToTheWhole()
    {
        _bed.Ask("a");
        for (var i = 0; i < 50; i++)
        {
            _bed.Say(new string('x', 100));
        }

        _bed.Events();
        var seen = new List<long>();
        for (var isAtHead = false; !isAtHead;)
        {
            var piece = _bed.Session.View.ReadLog(1, seen.Count, 1000, _bed.Now);
            Assert.InRange(piece.Events.Length, 1, 8);
            seen.AddRange(piece.Events.Select(logged => logged.Seq));
            isAtHead = piece.IsAtHead;
        }

        Assert.Equal(Enumerable.Range(1, 51).Select(seq => (long)seq), seen);
    }

    [Fact]
    public void WhatIsNotReleased_IsNotVisible()
    {
        _bed.Ask("a");

        Assert.Empty(_bed.Session.View.ReadLog(1, 0, 1000, _bed.Now).Events);
        Assert.Equal(0, _bed.Session.View.Whole(0, null, _bed.Now).Seq);
    }

    private static void Answer(SessionTestBed bed, string id, string text, QuestionStatus status)
    {
        bed.Ask(id);
        bed.Say(text);
        bed.Session.TryEnd(bed.Session.Running!, 1, new(status), bed.Now);
    }
}
