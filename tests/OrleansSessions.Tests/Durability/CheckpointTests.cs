using System.Text;
using OrleansSessions.Log;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Stores;
using Xunit;

namespace OrleansSessions.Tests.Durability;

/// <summary>The text of a running answer is saved while it runs. Only the test moves the time between two checkpoints.</summary>
public sealed class CheckpointTests : IAsyncLifetime
{
    private const int KiB = 1_024;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private StoredCluster _cluster = null!;

    private ISessionGrain Session => _cluster.Session("s");

    public async ValueTask InitializeAsync() => _cluster = await StartAsync(Interval);

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AnIntervalOf0_WritesNoCheckpoint()
    {
        await using var cluster = await StartAsync(TimeSpan.Zero);
        var script = cluster.Cluster.Responder.For("a").Send(new string('a', 10_000));
        await cluster.Session("s").AskAsync("a", "a");
        await HasTextAsync(cluster.Session("s"), "a", 10_000);
        cluster.Cluster.Clock.Advance(TimeSpan.FromHours(2));
        script.Send("end").Finish();
        await cluster.EndOfAsync("s", "a");

        Assert.Equal(["record", "record"], Changes(cluster).Take(2));
        Assert.DoesNotContain(Changes(cluster), slot => slot.StartsWith("chunk.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhereNoTextCame_NothingIsWritten()
    {
        var script = _cluster.Cluster.Responder.For("a");
        await Session.AskAsync("a", "a");
        await script.Started.WaitAsync(StoredCluster.Patience);
        Advance(3);
        script.Send("one ");
        await HasTextAsync(Session, "a", 4);
        await SaveAsync();
        Advance(3);
        script.Send("two");
        await HasTextAsync(Session, "a", 7);
        await SaveAsync();
        Advance(3);
        script.Finish();
        await _cluster.EndOfAsync("s", "a");

        Assert.Equal(2, ChunkWrites().Count);
    }

    [Fact]
    public async Task AnAnswerOf1MB_ThatComesSlowly_IsWrittenAtMostFourTimes_AndItsEndIsShort()
    {
        const int pieces = 100;
        var script = _cluster.Cluster.Responder.For("a");
        await Session.AskAsync("a", "a");
        for (var i = 1; i <= pieces; i++)
        {
            for (var part = 0; part < 10; part++)
            {
                script.Send(new string((char)('a' + (i % 26)), 999));
            }

            await HasTextAsync(Session, "a", i * 9_990);
            await SaveAsync();
        }

        script.Finish();
        var done = await _cluster.EndOfAsync("s", "a");

        Assert.InRange(ChunkWrites().Sum(write => write.Bytes), done.Bytes, (4 * done.Bytes) + (16 * KiB * pieces));
        await AssertStoredWholeAsync(done);
    }

    [Fact]
    public async Task AnAnswerOf1MB_ThatComesAtOnce_IsWrittenOnce_AndItsEndIsShort()
    {
        _cluster.Cluster.Responder.For("a").Send(string.Concat(Enumerable.Range(0, 111_111).Select(number => $"{number:00000000} "))).Finish();
        await Session.AskAsync("a", "a");
        var done = await _cluster.EndOfAsync("s", "a");

        Assert.Equal(999_999, done.Bytes);
        Assert.InRange(ChunkWrites().Sum(write => write.Bytes), done.Bytes - (16 * KiB), done.Bytes * 11 / 10);
        await AssertStoredWholeAsync(done);
    }

    [Fact]
    public async Task AnAnswerThatIsCut_AndScalarsThatComeInHalves_AreStoredAsTheyWereSeen()
    {
        await using var cluster = await StartAsync(Interval, options => options.MaxAnswerBytes = 100_001);
        var script = cluster.Cluster.Responder.For("a");
        await cluster.Session("s").AskAsync("a", "a");
        for (var i = 0; i < 1_500; i++)
        {
            script.Send("\U0001F600\U0001F4D6 ä\uD83D").Send("\uDE00 é and on it goes, for longer than the answer may become in all: it is cut.");
        }

        script.Finish();
        var done = await cluster.EndOfAsync("s", "a");
        await cluster.SleepAsync("s");

        Assert.Equal((QuestionStatus.Incomplete, DoneReasons.AnswerTooLarge), (done.Status, done.End!.Reason));
        Assert.InRange(done.Bytes, 99_998, 100_001);
        Assert.DoesNotContain('\uFFFD', done.Text);
        Assert.Equal(done, await cluster.Session("s").GetQuestionAsync("a"));
    }

    [Fact]
    public async Task Deltas_AreVisible_WhileACheckpointHangs_AndOnlyTheEndWaitsForIt()
    {
        await using var gateway = await GatewayListener.StartAsync(_cluster.Cluster.Orleans.Client);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _cluster.Store.Before = operation => IsChunkWrite(operation) ? gate.Task : Task.CompletedTask;
        var script = _cluster.Cluster.Responder.For("a").Send("one ");
        await Session.AskAsync("a", "a", gateway: gateway.Id);
        await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Delta);
        await SaveAsync();

        script.Send("two ");
        var second = await gateway.EventsUntilAsync(logged => logged.Text == "two ");
        script.Send("three").Finish();
        await script.Stopped.WaitAsync(StoredCluster.Patience);

        Assert.Equal(LogEventKind.Delta, second[^1].Kind);
        Assert.DoesNotContain(Changes(_cluster).Skip(1), slot => slot == "record");
        gate.SetResult();
        await gateway.EventsUntilAsync(logged => logged.Kind == LogEventKind.Done);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACheckpointThatFails_IsWrittenAgain_AndTheTextStaysWhole(bool arrives)
    {
        var failures = 0;
        Task FailOnce(StoreOperation operation) => IsChunkWrite(operation) && Interlocked.Increment(ref failures) == 2
            ? Task.FromException(new TimeoutException("The store did not reply."))
            : Task.CompletedTask;
        _ = arrives ? _cluster.Store.After = FailOnce : _cluster.Store.Before = FailOnce;

        // The second write fills the chunk, so what comes after it belongs into the next one.
        var script = _cluster.Cluster.Responder.For("a").Send(new string('a', 9_000));
        await Session.AskAsync("a", "a");
        await HasTextAsync(Session, "a", 9_000);
        await SaveAsync();
        script.Send(new string('b', 7_000)).Send(new string('c', 9_000));
        await HasTextAsync(Session, "a", 25_000);
        await SaveAsync();
        script.Send(new string('d', 9_000)).Send(new string('e', 9_000)).Finish();
        var done = await _cluster.EndOfAsync("s", "a");

        Assert.InRange(failures, 3, 20);
        await AssertStoredWholeAsync(done);
    }

    private static Task<StoredCluster> StartAsync(TimeSpan interval, Action<SessionsOptions>? configure = null) =>
        StoredCluster.StartAsync(configure: options =>
        {
            options.CheckpointInterval = interval;
            options.AnswerTimeout = options.SilenceTimeout = options.FirstDeltaTimeout = TimeSpan.FromDays(30);
            configure?.Invoke(options);
        });

    private static Task HasTextAsync(ISessionGrain session, string id, long bytes) =>
        Eventually.TrueAsync(async () => (await session.GetQuestionAsync(id))?.Bytes == bytes, $"{id} has {bytes} bytes");

    private static List<string> Changes(StoredCluster cluster) =>
        [.. cluster.Store.Operations.Where(operation => operation.IsChange).Select(operation => operation.Slot)];

    private static bool IsChunkWrite(StoreOperation operation) =>
        operation.Kind == StoreOperationKind.Write && operation.Slot.StartsWith("chunk.", StringComparison.Ordinal);

    private List<StoreOperation> ChunkWrites() => [.. _cluster.Store.Operations.Where(IsChunkWrite)];

    private void Advance(int intervals)
    {
        for (var i = 0; i < intervals; i++)
        {
            _cluster.Cluster.Clock.Advance(Interval);
        }
    }

    /// <summary>Lets the time to the next checkpoint pass, and waits until it is begun.</summary>
    private async Task SaveAsync()
    {
        var before = ChunkWrites().Count;
        Advance(1);
        await Eventually.TrueAsync(() => ChunkWrites().Count > before, "a checkpoint is written");
    }

    private async Task AssertStoredWholeAsync(QuestionDescription done)
    {
        Assert.Equal(Encoding.UTF8.GetByteCount(done.Text), done.Bytes);
        Assert.All(_cluster.Store.Operations.Where(operation => operation.Slot == "record"), operation => Assert.InRange(operation.Bytes, 0, 24 * KiB));
        await _cluster.SleepAsync("s");
        Assert.Equal(done, await Session.GetQuestionAsync("a"));
    }
}
