using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Frames;
using OrleansSessions.SocketGateway.Profiles;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Events and replies that cross each other, in both orders.</summary>
public sealed class V1ProfileTests : IDisposable
{
    private const long Epoch = 5;
    private static readonly QuestionEnd Completed = new() { Status = QuestionStatus.Completed, Deltas = 1, Bytes = 1, FirstMs = 1, TotalMs = 1 };
    private static readonly QuestionEnd Cancelled = new() { Status = QuestionStatus.Cancelled, Reason = DoneReasons.ByClient, Deltas = 1, Bytes = 1, FirstMs = 1, TotalMs = 1 };

    // Held throughout: a profile is only called under it.
    private readonly Lock _gate = new();
    private readonly RecordingTransport _transport = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();
    private readonly FrameWriter _writer;
    private readonly V1Profile _answers;

    public V1ProfileTests()
    {
        _gate.Enter();
        _writer = new(_transport, _gate, new(), _services.GetRequiredService<SocketGatewayMetrics>(), TimeProvider.System, RecordingTransport.FailOnStuck);
        _answers = new(_writer, RecordingTransport.Hello, () => { });
    }

    public void Dispose()
    {
        _gate.Exit();
        _services.Dispose();
    }

    [Theory]
    [InlineData("q")]
    [InlineData(null)]
    public void I6_AnEndThatComesBeforeTheReplyToItsCancel_IsSentAfterCancelling(string? cancelled)
    {
        Attach(seq: 2);
        var pending = _answers.OnCancelling(cancelled);
        _answers.OnEvent(LogEvent.Delta(3, "q", 0, "x"), false);
        _answers.OnEvent(LogEvent.Done(4, "q", Cancelled), false);
        _answers.OnCancelReply(pending, new() { Outcome = CancelOutcome.Cancelling, QuestionId = "q", Epoch = Epoch, AfterSeq = 3 });

        Assert.Equal(["hello", "delta", "cancelling", "done"], Sent());
    }

    [Fact]
    public void I6_AReplyThatComesBeforeEarlierDeltas_WaitsForThem()
    {
        Attach(seq: 2);
        var pending = _answers.OnCancelling("q");
        _answers.OnCancelReply(pending, new() { Outcome = CancelOutcome.Cancelling, QuestionId = "q", Epoch = Epoch, AfterSeq = 4 });
        _answers.OnEvent(LogEvent.Delta(3, "q", 0, "x"), false);
        Assert.Equal(["hello", "delta"], Sent());
        _answers.OnEvent(LogEvent.Delta(4, "q", 1, "y"), false);
        Assert.Equal(["hello", "delta", "delta", "cancelling"], Sent());
        _answers.OnEvent(LogEvent.Done(5, "q", Cancelled), false);

        Assert.Equal(["hello", "delta", "delta", "cancelling", "done"], Sent());
    }

    [Fact]
    public void RepeatedCancels_AreAllAcknowledged_BeforeTheEnd()
    {
        Attach(seq: 2);
        var first = _answers.OnCancelling("q");
        var second = _answers.OnCancelling("q");
        _answers.OnEvent(LogEvent.Done(3, "q", Cancelled), false);
        _answers.OnCancelReply(first, new() { Outcome = CancelOutcome.Cancelling, QuestionId = "q", Epoch = Epoch, AfterSeq = 2 });
        _answers.OnCancelReply(second, new() { Outcome = CancelOutcome.AlreadyDone, QuestionId = "q", Epoch = Epoch, AfterSeq = 3, Question = Ended(doneSeq: 3) });

        Assert.Equal(["hello", "cancelling", "cancelling", "done"], Sent());
    }

    [Fact]
    public void ACancelWithoutId_ThatEndedTheNextQuestion_IsAcknowledgedForThatOneToo()
    {
        Attach(seq: 2);
        var pending = _answers.OnCancelling(null);
        _answers.OnEvent(LogEvent.Done(3, "by another socket", Cancelled), false);
        _answers.OnCancelReply(pending, new() { Outcome = CancelOutcome.Cancelling, QuestionId = "next", Epoch = Epoch, AfterSeq = 4 });
        _answers.OnEvent(LogEvent.Delta(4, "next", 0, "x"), false);
        _answers.OnEvent(LogEvent.Done(5, "next", Cancelled), false);

        Assert.Equal(["hello", "cancelling", "done", "delta", "cancelling", "done"], Sent());
        Assert.Equal("next", _transport.Sent[4].Text("question_id"));
    }

    [Fact]
    public void ACancelThatCameTooLate_GetsTheEnd_OnlyIfItDoesNotFollowAnyway()
    {
        Attach(seq: 3);
        _answers.OnCancelReply(_answers.OnCancelling("q"), new() { Outcome = CancelOutcome.AlreadyDone, QuestionId = "q", Epoch = Epoch, AfterSeq = 4, Question = Ended(doneSeq: 4) });
        Assert.Equal(["hello"], Sent());
        _answers.OnEvent(LogEvent.Done(4, "q", Completed), false);
        _answers.OnCancelReply(_answers.OnCancelling("q"), new() { Outcome = CancelOutcome.AlreadyDone, QuestionId = "q", Epoch = Epoch, AfterSeq = 4, Question = Ended(doneSeq: 4) });

        Assert.Equal(["hello", "done", "done"], Sent());
        Assert.Equal((false, true), (_transport.Sent[1].Flag("replay"), _transport.Sent[2].Flag("replay")));
    }

    [Fact]
    public void I3_ADuplicatesEnd_IsNotSentAheadOfItsPlace()
    {
        Attach(seq: 1);
        _answers.OnDuplicate(Ended(doneSeq: 3));
        _answers.OnEvent(LogEvent.Delta(2, "q", 0, "x"), false);
        _answers.OnEvent(LogEvent.Done(3, "q", Completed), false);

        Assert.Equal(["hello", "accepted", "snapshot", "delta", "done"], Sent());
        Assert.False(_transport.Sent[4].Flag("replay"));
    }

    [Fact]
    public void LastSeq_NamesNoNumberThatAReplayHasNotBroughtYet()
    {
        _answers.OnAttached(new() { Epoch = Epoch, Seq = 9, Open = [], Responder = "echo" }, resumeAfter: 7);
        Assert.Equal(7, _answers.LastSeq);
        _answers.OnEvent(LogEvent.Delta(8, "q", 0, "x"), true);
        Assert.Equal(8, _answers.LastSeq);
        _answers.OnRecovered(new() { Outcome = LogReadOutcome.Recovered, Epoch = Epoch, Head = 9, Events = [], IsAtHead = true, Open = [] });
        Assert.Equal(9, _answers.LastSeq);
    }

    [Fact]
    public void ARewind_IsTheClientsPosition_BeforeItsReplayHasBegun()
    {
        Attach(seq: 9);
        _answers.OnReplay(4);

        Assert.Equal(4, _answers.LastSeq);
        _answers.OnCancelReply(_answers.OnCancelling("q"), new() { Outcome = CancelOutcome.AlreadyDone, QuestionId = "q", Epoch = Epoch, AfterSeq = 9, Question = Ended(doneSeq: 6) });
        _answers.OnDuplicate(Ended(doneSeq: 6));
        Assert.Equal(["hello", "accepted", "snapshot"], Sent());
        _answers.OnEvent(LogEvent.Delta(5, "q", 0, "x"), true);
        _answers.OnEvent(LogEvent.Done(6, "q", Completed), true);
        _answers.OnDuplicate(Ended(doneSeq: 6));

        Assert.Equal(["hello", "accepted", "snapshot", "delta", "done", "accepted", "snapshot", "done"], Sent());
    }

    [Fact]
    public void I6_ACancelInTheMiddleOfARewind_IsAcknowledgedInItsPlace()
    {
        Attach(seq: 9);
        _answers.OnReplay(7);
        _answers.OnCancelReply(_answers.OnCancelling("q"), new() { Outcome = CancelOutcome.Cancelling, QuestionId = "q", Epoch = Epoch, AfterSeq = 9 });
        _answers.OnEvent(LogEvent.Delta(8, "q", 0, "x"), true);
        _answers.OnEvent(LogEvent.Delta(9, "q", 1, "y"), true);
        _answers.OnEvent(LogEvent.Done(10, "q", Cancelled), false);

        Assert.Equal(["hello", "delta", "delta", "cancelling", "done"], Sent());
    }

    [Fact]
    public void ARun_NeverCrossesWhereASnapshotEnds_WhateverElseEndsOrIsAskedAgain()
    {
        Attach(seq: 0);
        Sent();
        _answers.OnDuplicate(Open("q", deltas: 2));
        _answers.OnDuplicate(Open("waits", deltas: 0));
        _answers.OnDuplicate(Open("next", deltas: 1));
        _answers.OnEvent(LogEvent.Done(1, "other", Completed), false);
        for (var i = 0; i < 4; i++)
        {
            _answers.OnEvent(LogEvent.Delta(2 + i, "q", i, "x"), false);
        }

        _answers.OnEvent(LogEvent.Done(6, "q", Completed), false);
        for (var i = 0; i < 3; i++)
        {
            _answers.OnEvent(LogEvent.Delta(7 + i, "next", i, "x"), false);
        }

        Sent();
        var runs = _transport.Sent.Where(frame => frame.Type() == "delta").Select(frame => (frame.Number("index"), frame.Number("count") ?? 1));
        Assert.Equal([(0L, 2L), (2L, 2L), (0L, 1L), (1L, 2L)], runs);
    }

    [Fact]
    public void ASnapshotOfAQueuedQuestion_DoesNotHideThatAnotherSnapshotIsBehind()
    {
        Attach(seq: 0);
        _answers.OnEvent(LogEvent.Delta(1, "q", 0, "x"), false);
        _answers.OnEvent(LogEvent.Delta(2, "q", 1, "y"), false);
        _answers.OnDuplicate(Open("waits", deltas: 0));

        Assert.True(_answers.IsBehind(Open("q", deltas: 1)));
        Assert.False(_answers.IsBehind(Open("q", deltas: 2)));
    }

    [Fact]
    public void AnEventOfALaterKind_IsForwarded_AndItsNumberCounts()
    {
        Attach(seq: 2);
        _answers.OnEvent(new() { Seq = 3, QuestionId = "q", OtherKind = "part", BodyJson = """{"part":{"id":7}}""" }, false);
        _answers.OnEvent(new() { Seq = 4, QuestionId = "q", Kind = (LogEventKind)9 }, false);

        Assert.Equal(["hello", "part", "event"], Sent());
        Assert.Equal(7, _transport.Sent[1].GetProperty("part").GetProperty("id").GetInt32());
        Assert.Equal(4, _answers.LastSeq);
    }

    private static QuestionDescription Open(string id, int deltas) => new() { QuestionId = id, Question = "why", Text = new string('x', deltas), Deltas = deltas, Bytes = deltas, Status = QuestionStatus.Answering, Epoch = Epoch, AcceptedSeq = 1, Attempt = 1 };

    private static QuestionDescription Ended(long doneSeq) => new() { QuestionId = "q", Question = "why", Text = "x", Deltas = 1, Bytes = 1, Status = QuestionStatus.Completed, Epoch = Epoch, AcceptedSeq = 1, DoneSeq = doneSeq, Attempt = 1, End = Completed };

    private void Attach(long seq) => _answers.OnAttached(new() { Epoch = Epoch, Seq = seq, Open = [], Responder = "echo" }, resumeAfter: null);

    private List<string?> Sent()
    {
        _writer.Flush();
        return _transport.Sent.ConvertAll(frame => frame.Type());
    }
}
