using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Following;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class LogCursorTests
{
    private static readonly QuestionEnd End = new() { Status = QuestionStatus.Completed, Deltas = 1, Bytes = 1, FirstMs = 1, TotalMs = 1 };

    private readonly Lock _gate = new();
    private readonly RecordingSink _sink = new();
    private readonly HandFedLog _log = new();
    private readonly LogCursor _answers;

    public LogCursorTests() =>
        _answers = new(_gate, _sink, _log, new() { MaxHeldItems = 3 }, TimeProvider.System, fault => _sink.Seen.Add(fault.GetType().Name));

    [Fact]
    public void I3_Repeats_AreDropped()
    {
        Begin(epoch: 5, seq: 2);
        Feed(5, 1, 2);
        Feed(5, 2, 3);
        Feed(5, 4);

        Assert.Equal(["3", "4"], _sink.Seen);
    }

    [Fact]
    public async Task I3_LateItemsOfALowerEpoch_CauseOneRead_AndAreDropped_UntilTheGrainConfirmsTheEpoch()
    {
        Begin(epoch: 5, seq: 2);
        Feed(4, 9);
        var read = await _log.NextAsync();
        Feed(4, 10);
        Feed(5, 3);
        read.Reply(Recovered(head: 2, isAtHead: true));
        await ReadAsync();
        Feed(4, 11);

        Assert.Equal(["3"], _sink.Seen);
        Assert.True(_answers.IsLive);
        Assert.True(_answers.IsWaiting);
        Head(5, 3);
        Assert.False(_answers.IsWaiting);
        Feed(4, 12);
        (await _log.NextAsync()).Reply(Recovered(head: 3, isAtHead: true));
        await ReadAsync();
        Assert.Equal(["3"], _sink.Seen);
    }

    [Fact]
    public async Task AnItemOfALowerEpoch_ThatIsTheSessionsNow_MovesTheSocketThere()
    {
        Begin(epoch: 5, seq: 7);
        Feed(4, 1, 2);
        (await _log.NextAsync()).Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = 4, Head = 2, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();
        Feed(4, 3);

        Assert.Equal(["lost EpochChanged", "3"], _sink.Seen);
        Assert.False(_answers.IsWaiting);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task AHeadOfAnotherEpoch_LowerOrHigher_MovesTheSocketThere(long other)
    {
        Begin(epoch: 5, seq: 7);
        Head(other, 2);
        var read = await _log.NextAsync();
        Assert.Equal((5, 7), (read.Epoch, read.AfterSeq));
        read.Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = other, Head = 2, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();
        Feed(other, 3);

        Assert.Equal(["lost EpochChanged", "3"], _sink.Seen);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public async Task AReplyToAnAskFromAnotherEpoch_MovesTheSocketThere_ThoughNoItemComes(long other)
    {
        Begin(epoch: 5, seq: 7);
        Expect(other, 1);
        (await _log.NextAsync()).Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = other, Head = 1, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();

        Assert.Equal(["lost EpochChanged"], _sink.Seen);
        Assert.False(_answers.IsWaiting);
    }

    [Fact]
    public async Task AHeadThatIsReportedWhileReading_IsReadAfterwards_BecauseTheReadMayBeOlder()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        var read = await _log.NextAsync();
        Head(4, 3);
        read.Reply(Recovered(head: 2, isAtHead: true, 1, 2));
        (await _log.NextAsync()).Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = 4, Head = 3, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();

        Assert.Equal(["1", "2", "lost EpochChanged"], _sink.Seen);
    }

    [Fact]
    public async Task AReadThatConfirmsThePosition_EndsTheWaitForAnotherEpochsReply()
    {
        Begin(epoch: 5, seq: 2);
        Expect(4, 9);
        (await _log.NextAsync()).Reply(Recovered(head: 2, isAtHead: true));
        await ReadAsync();

        Assert.Empty(_sink.Seen);
        Assert.True(_answers.IsLive);
        Assert.False(_answers.IsWaiting);
    }

    [Fact]
    public async Task AnEventThatWasExpectedInAnEpochThatIsGone_IsNotWaitedForWithoutEnd()
    {
        Begin(epoch: 5, seq: 2);
        Feed(5, 4);
        var read = await _log.NextAsync();
        Expect(5, 9);
        read.Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = 6, Head = 0, Events = [], IsAtHead = true, Open = [] });
        (await _log.NextAsync()).Reply(new() { Outcome = LogReadOutcome.Recovered, Epoch = 6, Head = 0, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();

        Assert.Equal(["lost EpochChanged"], _sink.Seen);
        Assert.False(_answers.IsWaiting);
    }

    [Fact]
    public async Task ARemovalOfALowerEpoch_ClosesNothing_WhileThisSocketsLogGoesOn()
    {
        Begin(epoch: 5, seq: 2);
        Remove(4);
        (await _log.NextAsync()).Reply(Recovered(head: 3, isAtHead: true, 3));
        await ReadAsync();

        Assert.Equal(["3"], _sink.Seen);
        Assert.True(_answers.IsLive);
    }

    [Fact]
    public async Task ARemovalOfALowerEpoch_IsThisSessions_IfNothingIsLeft()
    {
        Begin(epoch: 5, seq: 2);
        Remove(4);
        (await _log.NextAsync()).Reply(new() { Outcome = LogReadOutcome.Expired, Epoch = 6, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();

        Assert.Equal(["lost EpochChanged", "removed"], _sink.Seen);
    }

    [Fact]
    public void AnEventNamedInAReply_KeepsItWaiting_UntilItArrives()
    {
        Begin(epoch: 5, seq: 2);
        Assert.False(_answers.IsWaiting);

        Expect(5, 3);
        Assert.True(_answers.IsWaiting);
        Assert.True(_answers.IsLive);

        Feed(5, 3);
        Assert.False(_answers.IsWaiting);
    }

    [Fact]
    public void ItemsBeforeTheAttachReply_AreHeld_AndMergedAfterItsHead()
    {
        Feed(5, 1, 2);
        Feed(5, 3);
        Begin(epoch: 5, seq: 2);

        Assert.Equal(["3"], _sink.Seen);
    }

    [Fact]
    public async Task I3_AHole_IsReadFromTheLog_WhileLaterItemsWait()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, 3);
        var read = await _log.NextAsync();
        Feed(5, 4);
        Assert.Equal((5, 0), (read.Epoch, read.AfterSeq));
        Assert.Empty(_sink.Seen);
        read.Reply(Recovered(head: 3, isAtHead: false, 1, 2));
        (await _log.NextAsync()).Reply(Recovered(head: 3, isAtHead: true, 3));
        await ReadAsync();

        Assert.Equal(["1", "2", "3", "4"], _sink.Seen);
    }

    [Fact]
    public async Task TooManyHeldItems_AreDropped_AndReadAgain()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        var read = await _log.NextAsync();
        Feed(5, 3);
        Feed(5, 4);
        Feed(5, 5);
        Feed(5, 6);
        read.Reply(Recovered(head: 2, isAtHead: true, 1, 2));
        var again = await _log.NextAsync();
        Assert.Equal(2, again.AfterSeq);
        again.Reply(Recovered(head: 6, isAtHead: true, 3, 4, 5, 6));
        await ReadAsync();

        Assert.Equal(["1", "2", "3", "4", "5", "6"], _sink.Seen);
    }

    [Fact]
    public async Task ANewEpoch_IsLost_ThenLive()
    {
        Begin(epoch: 5, seq: 7);
        Feed(6, 1, 2);
        var read = await _log.NextAsync();
        Assert.Equal((5, 7), (read.Epoch, read.AfterSeq));
        read.Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = 6, Head = 2, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();
        Feed(6, 3);

        Assert.Equal(["lost EpochChanged", "3"], _sink.Seen);
    }

    [Fact]
    public async Task AReplay_ThatTheClientAskedFor_IsMarked_AndEndsBeforeLiveItems()
    {
        Begin(epoch: 5, seq: 3);
        Rewind(5, 1);
        var read = await _log.NextAsync();
        Feed(5, 4);
        read.Reply(Recovered(head: 3, isAtHead: true, 2, 3));
        await ReadAsync();

        Assert.Equal(["at 1", "2 replay", "3 replay", "recovered 3", "4"], _sink.Seen);
    }

    [Fact]
    public async Task ASecondRewind_MakesTheFirstReadWorthless_AndIsReadAfterIt()
    {
        Begin(epoch: 5, seq: 3);
        Rewind(5, 1);
        var first = await _log.NextAsync();
        Rewind(5, 2);
        first.Reply(Recovered(head: 3, isAtHead: true, 2, 3));
        var second = await _log.NextAsync();
        Assert.Equal(2, second.AfterSeq);
        second.Reply(Recovered(head: 3, isAtHead: true, 3));
        await ReadAsync();

        Assert.Equal(["at 1", "at 2", "3 replay", "recovered 3"], _sink.Seen);
    }

    [Fact]
    public async Task AReadThatFails_IsTriedAgain()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        (await _log.NextAsync()).Fail(new TimeoutException());
        (await _log.NextAsync()).Reply(Recovered(head: 2, isAtHead: true, 1, 2));
        await ReadAsync();

        Assert.Equal(["TimeoutException", "1", "2"], _sink.Seen);
    }

    [Fact]
    public async Task AHeadAheadOfThePosition_IsRead_AndOneAtThePosition_IsNot()
    {
        Begin(epoch: 5, seq: 2);
        Head(5, 2);
        Assert.True(_answers.IsLive);
        Head(5, 3);
        (await _log.NextAsync()).Reply(Recovered(head: 3, isAtHead: true, 3));
        await ReadAsync();

        Assert.Equal(["3"], _sink.Seen);
    }

    [Fact]
    public async Task Removal_ComesAfterTheEventsBeforeIt_AndOnlyForThisEpoch()
    {
        Remove(4);
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        var read = await _log.NextAsync();
        Remove(5);
        read.Reply(Recovered(head: 2, isAtHead: true, 1, 2));
        await ReadAsync();

        Assert.Equal(["1", "2", "removed"], _sink.Seen);
    }

    [Fact]
    public async Task ARemovalWhileReading_Counts_EvenIfTheReadBringsTheNextLife()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        var read = await _log.NextAsync();
        Remove(5);
        read.Reply(new() { Outcome = LogReadOutcome.EpochChanged, Epoch = 6, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();

        Assert.Equal(["lost EpochChanged", "removed"], _sink.Seen);
    }

    [Fact]
    public async Task ALiveEventThatFindsNoRoom_StaysInTheLog_AndIsReadFromThere()
    {
        Begin(epoch: 5, seq: 0);
        _sink.Room = 2;
        Feed(5, 1, 2, 3);
        var read = await _log.NextAsync();
        Assert.Equal((5, 2), (read.Epoch, read.AfterSeq));
        Assert.Equal(1, _log.TimesBehind);
        Assert.False(_answers.IsLive);
        Feed(5, 4);
        _sink.Room = int.MaxValue;
        read.Reply(Recovered(head: 3, isAtHead: true, 3));

        // What arrived while the sink was full was not held, so the log is read once more.
        var again = await _log.NextAsync();
        Assert.Equal(3, again.AfterSeq);
        again.Reply(Recovered(head: 4, isAtHead: true, 4));
        await ReadAsync();
        Feed(5, 5);

        Assert.Equal(["1", "2", "3", "4", "5"], _sink.Seen);
        Assert.Equal(1, _log.TimesBehind);
    }

    [Fact]
    public async Task APieceThatFindsNoRoom_IsReadAgain_FromItsFirstEventThatWasLeft()
    {
        Begin(epoch: 5, seq: 0);
        _sink.Room = 2;
        Feed(5, 3);
        (await _log.NextAsync()).Reply(Recovered(head: 3, isAtHead: true, 1, 2, 3));
        var again = await _log.NextAsync();
        Assert.Equal(2, again.AfterSeq);
        _sink.Room = int.MaxValue;
        again.Reply(Recovered(head: 3, isAtHead: true, 3));
        await ReadAsync();

        Assert.Equal(["1", "2", "3"], _sink.Seen);
        Assert.Equal(0, _log.TimesBehind);
    }

    [Fact]
    public async Task EventsThatAreTrimmed_WhileTheClientIsBehind_AreLost_AndTheSocketGoesOnFromTheHead()
    {
        Begin(epoch: 5, seq: 0);
        _sink.Room = 1;
        Feed(5, 1, 2);
        var read = await _log.NextAsync();
        _sink.Room = int.MaxValue;
        read.Reply(new() { Outcome = LogReadOutcome.Trimmed, Epoch = 5, Head = 9, Events = [], IsAtHead = true, Open = [] });
        await ReadAsync();
        Feed(5, 10);

        Assert.Equal(["1", "lost Trimmed", "10"], _sink.Seen);
    }

    [Fact]
    public async Task HeldItems_OfMoreTextThanMayWait_AreDropped_AndReadAgain()
    {
        var text = new string('x', new SocketGatewayOptions().MaxQueuedBytes / 4);
        Begin(epoch: 5, seq: 0);
        Feed(5, 2);
        var read = await _log.NextAsync();
        for (var seq = 3; seq <= 5; seq++)
        {
            Feed(5, [LogEvent.Delta(seq, "q", seq, text)]);
        }

        read.Reply(Recovered(head: 2, isAtHead: true, 1, 2));
        Assert.Equal(2, (await _log.NextAsync()).AfterSeq);
    }

    [Fact]
    public void WhilePaused_ItemsAreHeld()
    {
        Begin(epoch: 5, seq: 0);
        lock (_gate)
        {
            Assert.True(_answers.TryPause());
        }

        Feed(5, 1);
        Assert.Empty(_sink.Seen);
        lock (_gate)
        {
            _answers.Unpause();
        }

        Assert.Equal(["1"], _sink.Seen);
    }

    [Fact]
    public void WaitingIsCounted_FromAcceptedToDone()
    {
        Begin(epoch: 5, seq: 0);
        Feed(5, [LogEvent.Accepted(1, "q", "?", 0)]);
        Assert.True(_answers.IsWaiting);
        Feed(5, [LogEvent.Done(2, "q", End)]);
        Assert.False(_answers.IsWaiting);
    }

    private static LogEvent[] Deltas(params long[] seqs) => [.. seqs.Select(seq => LogEvent.Delta(seq, "q", (int)seq, "x"))];

    private static LogPiece Recovered(long head, bool isAtHead, params long[] seqs) =>
        new() { Outcome = LogReadOutcome.Recovered, Epoch = 5, Head = head, Events = Deltas(seqs), IsAtHead = isAtHead, Open = [] };

    private Task ReadAsync() => _answers.Reading.WaitAsync(TimeSpan.FromSeconds(10));

    private void Begin(long epoch, long seq)
    {
        lock (_gate)
        {
            _answers.Begin(epoch, seq, 0);
        }
    }

    private void Rewind(long epoch, long after)
    {
        lock (_gate)
        {
            _answers.Replay(epoch, after);
        }
    }

    private void Expect(long epoch, long seq)
    {
        lock (_gate)
        {
            _answers.Expect(epoch, seq);
        }
    }

    private void Remove(long epoch)
    {
        lock (_gate)
        {
            _answers.OnRemoved(epoch);
        }
    }

    private void Head(long epoch, long seq)
    {
        lock (_gate)
        {
            _answers.OnHead(epoch, seq);
        }
    }

    private void Feed(long epoch, params long[] seqs) => Feed(epoch, Deltas(seqs));

    private void Feed(long epoch, LogEvent[] events)
    {
        lock (_gate)
        {
            _answers.OnEvents(epoch, events);
        }
    }

    private sealed class RecordingSink : ILogSink
    {
        public List<string> Seen { get; } = [];

        /// <summary>The number of events after which the sink is full.</summary>
        public int Room { get; set; } = int.MaxValue;

        public bool IsFull => Seen.Count >= Room;

        public void OnEvent(LogEvent next, bool isReplay) => Seen.Add(isReplay ? $"{next.Seq} replay" : $"{next.Seq}");

        public void OnReplay(long afterSeq) => Seen.Add($"at {afterSeq}");

        public void OnRecovered(LogPiece atHead) => Seen.Add($"recovered {atHead.Head}");

        public void OnLost(LogPiece piece) => Seen.Add($"lost {piece.Outcome}");

        public void OnRemoved() => Seen.Add("removed");
    }

    /// <summary>A log whose reads wait until the test answers them.</summary>
    private sealed class HandFedLog : ILogSource
    {
        private readonly System.Threading.Channels.Channel<Read> _reads = System.Threading.Channels.Channel.CreateBounded<Read>(16);

        public async Task<Read> NextAsync() => await _reads.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        public Task<LogPiece> ReadAsync(long epoch, long afterSeq)
        {
            var read = new Read(epoch, afterSeq);
            Assert.True(_reads.Writer.TryWrite(read));
            return read.Task;
        }

        public int TimesBehind { get; private set; }

        public Task FlushAsync() => Task.CompletedTask;

        public void OnBehind() => TimesBehind++;
    }

    private sealed record Read(long Epoch, long AfterSeq)
    {
        private readonly TaskCompletionSource<LogPiece> _reply = new();

        public Task<LogPiece> Task => _reply.Task;

        public void Reply(LogPiece piece) => _reply.SetResult(piece);

        public void Fail(Exception fault) => _reply.SetException(fault);
    }
}
