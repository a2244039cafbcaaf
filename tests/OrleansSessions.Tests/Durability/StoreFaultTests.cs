using OrleansSessions.Responders;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>Single operations of the store fail, with or without having reached it.</summary>
public sealed class StoreFaultTests : IAsyncLifetime
{
    private static readonly string Long = new('a', 3_000);

    private StoredCluster _cluster = null!;

    private ISessionGrain Session => _cluster.Session("s");

    private IReadOnlyDictionary<string, string> Rows => _cluster.Rows.Of(StoredCluster.Key("s"));

    public async ValueTask InitializeAsync() => _cluster = await StoredCluster.StartAsync(configure: options =>
    {
        (options.KeptQuestions, options.KeptBytes) = (4, 10_000_000);
        options.CheckpointInterval = TimeSpan.FromMilliseconds(10);
    });

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task APageWithoutAReply_IsWrittenAgain_AndNothingIsLostOrDoubled(bool arrives)
    {
        FailOnce(operation => operation is { Slot: "page.0", Kind: StoreOperationKind.Write }, arrives);
        for (var i = 0; i < 3; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", $"{i}", Long);
        }

        await Eventually.TrueAsync(() => Rows.ContainsKey("page.1"), "two pages are written");
        await _cluster.SleepAsync("s");

        Assert.Equal(["id-0", "id-1", "id-2"], (await Session.ListQuestionsAsync(10)).Select(question => question.QuestionId));
        Assert.All(await Session.ListQuestionsAsync(10), question => Assert.Equal(Long, question.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DoneWithoutAReply_IsWrittenAgain_AndVisibleOnce(bool arrives)
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Cluster.Orleans.Client);
        await Session.AskAsync("a", "a", gateway: gateway.Id);
        FailOnce(operation => operation is { Slot: "record", Kind: StoreOperationKind.Write }, arrives);
        _cluster.Cluster.Responder.For("a").Send("text").Finish();

        var events = await gateway.EventsUntilAsync(logged => logged.Kind == Log.LogEventKind.Done);
        await _cluster.AnswerAsync("s", "b", "b", "more");

        Assert.Equal([1L, 2L, 3L], events.Select(logged => logged.Seq));
        await _cluster.SleepAsync("s");
        Assert.Equal(["text", "more"], (await Session.ListQuestionsAsync(10)).Select(question => question.Text));
    }

    [Fact]
    public async Task AcceptedThatArrivedWithoutAReply_IsAFaultForItsAsker_AndRunsOnceWhenItIsAskedAgain()
    {
        await _cluster.AnswerAsync("s", "old", "old", "text");
        _cluster.Cluster.Responder.Recovery = RecoveryMode.AskAgain;
        FailOnce(operation => operation is { Slot: "record", Kind: StoreOperationKind.Write }, arrives: true);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.AskAsync("a", "a"));
        await _cluster.Cluster.StoreIsAsync(isAway: false);
        var script = _cluster.Cluster.Responder.For("a").Send("answer").Finish();

        Assert.Equal(AskOutcome.Accepted, (await Session.AskAsync("a", "a")).Outcome);
        Assert.Equal("answer", (await _cluster.EndOfAsync("s", "a")).Text);
        Assert.Equal(1, script.Runs);
    }

    [Fact]
    public async Task AcceptedThatArrivedWithoutAReply_IsTakenBackInTheStoreToo()
    {
        await _cluster.AnswerAsync("s", "old", "old", "text");
        _cluster.Cluster.Responder.Recovery = RecoveryMode.AskAgain;
        FailOnce(operation => operation is { Slot: "record", Kind: StoreOperationKind.Write }, arrives: true);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Session.AskAsync("a", "a"));
        var withQuestion = Rows["record"];
        await Eventually.TrueAsync(() => Rows["record"] != withQuestion, "the record is written again");

        await _cluster.SleepAsync("s");

        Assert.Equal(["old"], (await Session.ListQuestionsAsync(10)).Select(question => question.QuestionId));
        Assert.Equal(0, _cluster.Cluster.Responder.For("a").Runs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AFailedRecord_DoesNotForgetWhichPagesMustBeRemoved(bool arrives)
    {
        for (var i = 0; i < 4; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", $"{i}", Long);
            await _cluster.HasSlotAsync("s", $"page.{i}");
        }

        // The end of this question pushes the oldest page out, and its record is written twice.
        await Session.AskAsync("a", "a");
        FailOnce(operation => operation is { Slot: "record", Kind: StoreOperationKind.Write }, arrives);
        _cluster.Cluster.Responder.For("a").Send(Long).Finish();
        await _cluster.EndOfAsync("s", "a");

        await Eventually.TrueAsync(() => !Rows.ContainsKey("page.0"), "the page is removed");
    }

    [Fact]
    public async Task ARemoval_LeavesNothing_OfAFullSessionWithAnOpenQuestion_WhoseTextIsBeingSaved()
    {
        for (var i = 0; i < 4; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", $"{i}", Long, new string('b', 20_000));
            await _cluster.HasSlotAsync("s", $"page.{i}");
        }

        var script = _cluster.Cluster.Responder.For("a");
        await Session.AskAsync("a", "a");
        var (record, chunk) = (new Gate(), new Gate());
        _cluster.Store.Before = operation => operation switch
        {
            { Kind: StoreOperationKind.Write, Slot: "record" } => record.PassAsync(),
            { Kind: StoreOperationKind.Write } when operation.Slot.StartsWith("chunk.", StringComparison.Ordinal) => chunk.PassAsync(),
            _ => Task.CompletedTask,
        };

        // 1. The removal asks the store whether it takes a write. Meanwhile text comes, and is being saved.
        var removing = Session.RemoveAsync();
        await record.Reached.WaitAsync(StoredCluster.Patience);
        script.Send("text");
        await chunk.Reached.WaitAsync(StoredCluster.Patience);

        // 2. The question ends while its text is still on its way.
        record.Open();
        await script.Cancelled.WaitAsync(StoredCluster.Patience);
        chunk.Open();

        Assert.True(await removing.WaitAsync(StoredCluster.Patience));
        Assert.Empty(Rows);
    }

    [Fact]
    public async Task ARemoval_LeavesNoPageThatNoRecordNames()
    {
        FailOnce(operation => operation is { Slot: "page.0", Kind: StoreOperationKind.Write }, arrives: true);
        await _cluster.AnswerAsync("s", "a", "a", Long, Long);
        await _cluster.HasSlotAsync("s", "page.0");

        Assert.True(await Session.RemoveAsync());

        Assert.Empty(Rows);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ARemovalThatIsInterrupted_IsCompletedByTheNextActivation(int clears)
    {
        for (var i = 0; i < 3; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", $"{i}", Long);
            await _cluster.HasSlotAsync("s", $"page.{i}");
        }

        var cleared = 0;

        // Of this session alone: the store is not away.
        _cluster.Store.Before = operation => operation.Grain == StoredCluster.Key("s") && operation.Kind == StoreOperationKind.Clear
            && Interlocked.Increment(ref cleared) > clears
            ? Task.FromException(new TimeoutException("The store did not reply."))
            : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<Exception>(() => Session.RemoveAsync());
        _cluster.Store.Before = null;

        Assert.Null(await Session.DescribeAsync());
        Assert.Empty(Rows);
        await _cluster.AnswerAsync("s", "id-0", "a second life", "text");
    }

    [Fact]
    public async Task AStoreThatRefusesToClearWhatIsNotThere_IsServedAsWell()
    {
        _cluster.Rows.ClearsOnlyWhatIsThere = true;
        Assert.False(await Session.RemoveAsync());
        for (var i = 0; i < 7; i++)
        {
            await _cluster.AnswerAsync("s", $"id-{i}", $"{i}", Long, new string('b', 20_000));
            await _cluster.HasSlotAsync("s", $"page.{i}");
        }

        _cluster.Rows.Expire(StoredCluster.Key("s"), slot => slot.EndsWith(".4", StringComparison.Ordinal));
        Assert.True(await Session.RemoveAsync());
        Assert.False(await Session.RemoveAsync());
        Assert.Empty(Rows);
    }

    [Fact]
    public async Task AnotherActivationThatHasWritten_EndsThisOne_WhichThenHasWhatTheOtherWrote()
    {
        await using var other = await StoredCluster.StartAsync(_cluster.Rows);
        await _cluster.AnswerAsync("s", "a", "a", Long, Long);
        await _cluster.HasSlotAsync("s", "page.0");
        await other.AnswerAsync("s", "b", "b", Long, Long);
        await other.HasSlotAsync("s", "page.1");

        await Assert.ThrowsAnyAsync<Exception>(() => Session.AskAsync("c", "c"));

        await Eventually.TrueAsync(async () => await Session.GetQuestionAsync("b") is not null, "the next activation has what is stored");
        Assert.Equal(["a", "b"], (await Session.ListQuestionsAsync(10)).Select(question => question.QuestionId));
        await _cluster.AnswerAsync("s", "c", "c", "text");
    }

    private void FailOnce(Predicate<StoreOperation> fails, bool arrives)
    {
        var failed = 0;
        Task Fail(StoreOperation operation) => fails(operation) && Interlocked.Exchange(ref failed, 1) == 0
            ? Task.FromException(new TimeoutException("The store did not reply."))
            : Task.CompletedTask;
        _ = arrives ? _cluster.Store.After = Fail : _cluster.Store.Before = Fail;
    }

    /// <summary>Holds up what comes to it until it is opened.</summary>
    private sealed class Gate
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public Task PassAsync()
        {
            _reached.TrySetResult();
            return _open.Task;
        }

        public void Open() => _open.SetResult();
    }
}
