using OrleansSessions.Client;
using OrleansSessions.Client.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Client;

/// <summary>What readers of one answer get.</summary>
public sealed class AnswerTests
{
    private const string Start = "Är 😀";
    private readonly CoreBed _bed = new();

    [Fact]
    public async Task Reader_WhoReadsLate_GetsOnePiece_AndNothingThatWasWithdrawn()
    {
        var answer = _bed.Hello().Ask();
        var reader = new UpdateWords(answer);

        _bed.Accepted(1).Delta(2, 0, "one ").Delta(3, 1, "two ").NewEpoch("e2", "", 0).Delta(2, 0, "three ").Delta(3, 1, "four").Done(4, 2, "three four");

        Assert.Equal("accepted restarted 'three four' ended", reader.Read());
        Assert.Equal("three four", (await answer).Text);
    }

    [Fact]
    public void Reader_WhoReadsAtOnce_GetsEachPiece_AndARestart()
    {
        var reader = new UpdateWords(_bed.Hello().Ask());

        _bed.Accepted(1).Delta(2, 0, "one ");
        Assert.Equal("accepted 'one '", reader.Read());
        _bed.Delta(3, 1, "two ");
        Assert.Equal("'two '", reader.Read());
        _bed.NewEpoch("e2", "one ", 1);
        Assert.Equal("restarted 'one '", reader.Read());
    }

    [Fact]
    public void Snapshot_ThatContinuesTheText_IsNoRestart()
    {
        var reader = new UpdateWords(_bed.Hello().Ask());

        _bed.Accepted(1).Delta(2, 0, "one ").NewEpoch("e2", "one two ", 2).Delta(2, 2, "three").Done(3, 3, "one two three");

        Assert.Equal("accepted 'one two three' ended", reader.Read());
    }

    [Fact]
    public async Task Enumerations_OfOneAnswer_AreIndependent_AlsoAfterItsEnd()
    {
        var answer = _bed.Hello().Ask();
        _bed.Accepted(1).Delta(2, 0, "one ");
        await using (var left = answer.GetAsyncEnumerator(TestContext.Current.CancellationToken))
        {
            Assert.True(await left.MoveNextAsync());
        }

        _bed.Delta(3, 1, "two").Done(4, 2, "one two");

        Assert.Equal("accepted 'one two' ended", new UpdateWords(answer).Read());
        Assert.Equal("accepted 'one two' ended", new UpdateWords(answer).Read());
    }

    [Fact]
    public void Resume_FromAPositionOfThisEpoch_DeliversOnlyWhatFollows()
    {
        var reader = new UpdateWords(_bed.Hello(seq: 9).Resume(Position("e1", Start)));

        Read(CoreBed.Stored(Start + "das", "e1", 3, hasEnded: false));
        _bed.Delta(10, 3, " ein?").Done(11, 4, Start + "das ein?");

        Assert.Equal("accepted 'das ein?' ended", reader.Read());
    }

    [Fact]
    public async Task Resume_FromAnEndedQuestion_DeliversTheRest()
    {
        var answer = _bed.Hello(seq: 9).Resume(Position("e1", Start));
        var reader = new UpdateWords(answer);

        Read(CoreBed.Stored(Start + "das", "e1", 3, hasEnded: true));

        Assert.Equal("accepted 'das' ended", reader.Read());
        Assert.Equal(Start + "das", (await answer).Text);
    }

    [Fact]
    public void Resume_FromAnotherEpoch_RestartsWithTheWholeText()
    {
        var reader = new UpdateWords(_bed.Hello(seq: 9).Resume(Position("e0", Start)));

        Read(CoreBed.Stored("Ja", "e1", 1, hasEnded: false));

        Assert.Equal("accepted restarted 'Ja'", reader.Read());
    }

    [Fact]
    public void Resume_OfAReaderWhoIsAhead_WaitsForNewText_AndRestartsIfItIsWithdrawn()
    {
        var asked = _bed.Hello().Ask();
        _bed.Accepted(1).Delta(2, 0, "one ");
        var reader = new UpdateWords(_bed.Resume(Position("e1", "one two ")));
        Assert.Equal("accepted", reader.Read());
        var other = new UpdateWords(asked);

        _bed.NewEpoch("e2", "one ", 1);

        Assert.Equal("restarted 'one '", reader.Read());
        Assert.Equal("accepted 'one '", other.Read());
    }

    [Fact]
    public async Task Position_OfAnUpdate_SurvivesAsText()
    {
        var answer = _bed.Hello().Ask();
        await using var reader = answer.GetAsyncEnumerator(TestContext.Current.CancellationToken);
        _bed.Accepted(1).Delta(2, 0, Start);
        await reader.MoveNextAsync();
        await reader.MoveNextAsync();

        var text = reader.Current.Position.ToString();

        Assert.Equal("s/q-1/e1/2/1/8", text);
        Assert.Equal(reader.Current.Position, AnswerPosition.Parse(text));
        Assert.False(AnswerPosition.TryParse("s/q-1/e1/2/1/-8", out _));
        Assert.False(AnswerPosition.TryParse("s/q 1/e1/2/1/8", out _));
    }

    [Fact]
    public async Task Cancelled_Enumeration_EndsTheWait_NotTheQuestion()
    {
        using var giveUp = new CancellationTokenSource();
        var answer = _bed.Hello().Ask();
        var next = answer.GetAsyncEnumerator(giveUp.Token).MoveNextAsync().AsTask();

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        _bed.Accepted(1).Done(2, 0, "");
        Assert.Equal("", (await answer).Text);
        Assert.DoesNotContain(_bed.Sent, frame => frame.Contains("cancel", StringComparison.Ordinal));
    }

    [Fact]
    public void RefusedAnswer_ThatNobodyWaitsFor_RaisesNothing()
    {
        var unobserved = new List<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs fault)
        {
            lock (unobserved)
            {
                unobserved.AddRange(fault.Exception.InnerExceptions.OfType<SessionException>());
            }
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            AskAndForget();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        Assert.Empty(unobserved);
    }

    private static void AskAndForget()
    {
        var bed = new CoreBed();
        bed.Hello().Ask();
        bed.Receive("""{"type":"error","message":"No.","code":"bad_request","retryable":false,"question_id":"q-1"}""");
    }

    private static AnswerPosition Position(string epoch, string text) =>
        CoreBed.Stored(text, epoch, 2, hasEnded: false).Position;

    private void Read(StoredQuestion stored) => Assert.True(SessionCore.OnRead(Assert.Single(_bed.Reads), stored));
}
