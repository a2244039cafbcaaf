using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;
using OrleansSessions.Streaming.Queues;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class PushQueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    [Fact]
    public async Task Enqueue_WhileFull_KeepsTheOrderOfThoseWhoWait()
    {
        var queue = Create(capacity: 2);
        var sends = Enumerable.Range(0, 5).Select(value => queue.EnqueueAsync(Item(value)).AsTask()).ToArray();
        Assert.Equal([true, true, false, false, false], sends.Select(send => send.IsCompleted));

        var taken = new List<int>();
        while (taken.Count < 5)
        {
            taken.AddRange((await queue.ReadAsync(2, CancellationToken.None)).Select(Value));
        }

        await Deadline.MeetAsync(Task.WhenAll(sends), "the waiting producers to be accepted");
        Assert.Equal([0, 1, 2, 3, 4], taken);
    }

    [Fact]
    public async Task Enqueue_WhileFullForTheWholeTimeout_IsRefusedAndTakesNoPlace()
    {
        var queue = Create(capacity: 1);
        await queue.EnqueueAsync(Item(0));
        var refused = queue.EnqueueAsync(Item(1)).AsTask();

        _time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromMilliseconds(1));
        Assert.False(refused.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        var refusal = await Assert.ThrowsAsync<PushQueueFullException>(() => refused);
        Assert.Contains("for 5 s", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([0], queue.Take(10).Select(Value));
        Assert.True(queue.EnqueueAsync(Item(2)).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Read_WhenCancelled_IsEmpty()
    {
        var queue = Create(capacity: 1);
        using var stop = new CancellationTokenSource();
        var read = queue.ReadAsync(10, stop.Token);
        Assert.False(read.IsCompleted);

        await stop.CancelAsync();

        Assert.Empty(await read);
        Assert.Empty(await queue.ReadAsync(10, stop.Token));
    }

    [Fact]
    public async Task Read_TakesNoMoreThanItWasAskedFor()
    {
        var queue = Create(capacity: 10);
        for (var value = 0; value < 5; value++)
        {
            await queue.EnqueueAsync(Item(value));
        }

        Assert.Equal([0, 1, 2], (await queue.ReadAsync(3, CancellationToken.None)).Select(Value));
        Assert.Equal([3, 4], (await queue.ReadAsync(3, CancellationToken.None)).Select(Value));
    }

    [Fact]
    public async Task Close_RefusesThoseWhoWaitAndThoseWhoCome_UntilItIsOpenedAgain()
    {
        var queue = Create(capacity: 1);
        await queue.EnqueueAsync(Item(0));
        var waiting = queue.EnqueueAsync(Item(1)).AsTask();

        queue.Close();

        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
        await Assert.ThrowsAsync<InvalidOperationException>(() => queue.EnqueueAsync(Item(2)).AsTask());
        Assert.Empty(queue.Take(10));
        queue.Open(CacheFor(new PushStreamOptions()));
        Assert.True(queue.EnqueueAsync(Item(3)).AsTask().IsCompletedSuccessfully);
        Assert.Equal([3], queue.Take(10).Select(Value));
    }

    public void Dispose() => _services.Dispose();

    private static PushItem<int> Item(int value) => new() { StreamId = StreamId.Create("tests", "unit"), Item = value };

    private static int Value(IBatchContainer item) => ((PushItem<int>)item).Item;

    private PushQueue Create(int capacity) => new(
        "unit", QueueId.GetQueueId("unit", 0, 0), new PushStreamOptions { QueueCapacity = capacity }, _time, Metrics(), NullLogger<PushQueue>.Instance);

    private PerStreamCache CacheFor(PushStreamOptions options) => new("unit", options, _time, Metrics(), NullLogger<PerStreamCache>.Instance);

    private PushStreamMetrics Metrics() => new(_services.GetRequiredService<IMeterFactory>());
}
