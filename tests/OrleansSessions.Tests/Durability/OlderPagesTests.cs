using OrleansSessions.Log;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>After a sleep only the newest ended questions are in memory. Nobody notices: the others are read when someone asks for them.</summary>
public sealed class OlderPagesTests : IAsyncLifetime
{
    private const int Questions = 12;
    private const int PageBytes = 4_000;

    private StoredCluster _cluster = null!;
    private IReadOnlyList<QuestionDescription> _before = [];
    private SessionDescription _described = null!;
    private IReadOnlyList<LogEvent> _events = [];

    private ISessionGrain Session => _cluster.Session("s");

    public async ValueTask InitializeAsync()
    {
        _cluster = await StoredCluster.StartAsync(
            configure: options => (options.HistoryBytes, options.KeptQuestions, options.KeptEvents) = (10_000, Questions + 1, 40));
        for (var i = 0; i < Questions; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", Question(i), new string('a', PageBytes / 2));
            await _cluster.HasSlotAsync("s", $"page.{i}");
        }

        _before = await Session.ListQuestionsAsync(100);
        _described = (await Session.DescribeAsync())!;
        _events = await ReadAsync(0);
        await _cluster.SleepAsync("s");
        _cluster.Store.ForgetOperations();
    }

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AnActivation_ReadsTheRecord_TheNextSlot_AndTheNewestPagesOnly()
    {
        Assert.Equal(_described, await DescribeAsync());

        // The last question is in the record, and page 11 has it too: no record names that yet.
        Assert.Equal(["page.10", "page.11", "page.8", "page.9", "record"], Reads());
    }

    [Fact]
    public async Task TheIdOfAnOldQuestion_IsADuplicateOrAConflict_AfterASleep()
    {
        var duplicate = await Session.AskAsync("id-0", Question(0));
        Assert.Equal((AskOutcome.Duplicate, _before[0].Text, 1L), (duplicate.Outcome, duplicate.Earlier?.Text, duplicate.Seq));
        Assert.Equal(AskOutcome.Conflict, (await Session.AskAsync("id-1", "another text")).Outcome);
        Assert.Equal([.. Enumerable.Range(0, Questions).Select(number => $"page.{number}").Order(StringComparer.Ordinal), "record"], Reads());
    }

    [Fact]
    public async Task AnOldQuestion_CanBeRead_AndCancelled_AfterASleep()
    {
        Assert.Equal(_before[0], await Session.GetQuestionAsync("id-0"));
        await _cluster.SleepAsync("s");
        Assert.Equal(CancelOutcome.AlreadyDone, (await Session.CancelAsync("id-1")).Outcome);
        await _cluster.SleepAsync("s");
        Assert.Equal(_before[2], await Session.WaitForEndAsync("id-2", TimeSpan.FromSeconds(1)));
        Assert.Null(await Session.GetQuestionAsync("unknown"));
    }

    [Fact]
    public async Task AList_ReachesAsFarBackAsBefore()
    {
        Assert.Equal(_before.TakeLast(2), await Session.ListQuestionsAsync(2));
        Assert.Equal(5, Reads().Count);
        Assert.Equal(_before, await Session.ListQuestionsAsync(100));
    }

    [Fact]
    public async Task AResume_GetsEveryEvent_FromAnyPlaceThatTheSessionNames()
    {
        for (var after = 0; after < _events.Count; after += 5)
        {
            await _cluster.SleepAsync("s");
            var described = await DescribeAsync();
            Assert.Equal(1, described!.OldestSeq);
            Assert.Equal(_events.Skip(after), await ReadAsync(after));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task OldestSeq_IsHonest_WhenMoreIsAskedAfterTheSleep(int more)
    {
        for (var i = 0; i < more; i++)
        {
            await _cluster.AnswerAsync("s", $"more-{i}", $"more {i}", "short");
        }

        var described = (await DescribeAsync())!;
        var events = await ReadAsync(described.OldestSeq - 1);
        Assert.Equal(described.OldestSeq, events[0].Seq);
        Assert.Equal(described.Seq, events[^1].Seq);

        // Nothing was given up needlessly: what is still kept can be replayed.
        await Session.ListQuestionsAsync(100);
        Assert.InRange(described.OldestSeq, (await DescribeAsync())!.OldestSeq, described.OldestSeq);
    }

    [Fact]
    public async Task APageThatHasExpired_CountsAsTrimmed_WithAllThatAreOlder()
    {
        _cluster.Rows.Expire(StoredCluster.Key("s"), slot => slot is "page.3");

        Assert.Null(await Session.GetQuestionAsync("id-2"));
        Assert.Equal(_before.Skip(4), await Session.ListQuestionsAsync(100));
        var described = (await DescribeAsync())!;
        Assert.Equal(13, described.OldestSeq);
        Assert.Equal(LogReadOutcome.Trimmed, (await Session.ReadLogAsync(described.Epoch, 5)).Outcome);
        Assert.Equal(_events.Skip(12), await ReadAsync(12));
        await _cluster.AnswerAsync("s", "id-2", "a new question", "with an id that is free again");
    }

    [Fact]
    public async Task WhereTheNewestPageHasExpired_TheSessionGoesOnWithWhatIsInItsRecord()
    {
        _cluster.Rows.Expire(StoredCluster.Key("s"), slot => slot is "page.10");

        var described = (await DescribeAsync())!;
        Assert.Equal((_described.Epoch, _described.Seq, _described.Seq - 2), (described.Epoch, described.Seq, described.OldestSeq));
        Assert.Equal(_before.TakeLast(1), await Session.ListQuestionsAsync(100));
        await _cluster.AnswerAsync("s", "new", "new", "text");
        Assert.True(await Session.RemoveAsync());
    }

    private static string Question(int number) => $"{number} ".PadRight(PageBytes / 2, 'q');

    /// <summary>Nothing is open in these tests; two empty lists are not equal.</summary>
    private async Task<SessionDescription?> DescribeAsync() =>
        await Session.DescribeAsync() is { Open.Length: 0 } described ? described with { Open = _described.Open } : null;

    private List<string> Reads() => [.. _cluster.Store.Operations
        .Where(operation => operation.Kind == StoreOperationKind.Read).Select(operation => operation.Slot).Order(StringComparer.Ordinal)];

    private async Task<IReadOnlyList<LogEvent>> ReadAsync(long after)
    {
        var piece = await Session.ReadLogAsync(_described.Epoch, after);
        Assert.Equal((LogReadOutcome.Recovered, true), (piece.Outcome, piece.IsAtHead));
        return piece.Events;
    }
}
