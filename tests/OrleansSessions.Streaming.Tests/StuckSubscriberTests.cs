using Orleans.Streams;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class StuckSubscriberTests
{
    private const int Capacity = 10;

    [Fact]
    public async Task AStuckSubscriber_HoldsUpNeitherItsStreamNorItsQueue()
    {
        await using var cluster = await StartAsync();
        var stuck = new RecordingObserver<int>("stuck", open: false);
        var sameStream = new RecordingObserver<int>("same stream");
        var sameQueue = new RecordingObserver<int>("same queue");
        await cluster.InClient<int>("stuck").SubscribeAsync((IAsyncObserver<int>)stuck);
        await cluster.InSilo<int>("stuck").SubscribeAsync((IAsyncObserver<int>)sameStream);
        await cluster.InSilo<int>("free").SubscribeAsync((IAsyncObserver<int>)sameQueue);
        await cluster.InSilo<int>("stuck").OnNextAsync(0);
        await stuck.EnteredAsync();

        for (var item = 1; item <= 100; item++)
        {
            await cluster.InSilo<int>("stuck").OnNextAsync(item);
            await cluster.InSilo<int>("free").OnNextAsync(item);
            await sameStream.CountAsync(item + 1);
            await sameQueue.CountAsync(item);
        }

        Assert.Equal(Enumerable.Range(0, 101), sameStream.Items);
        Assert.Equal(Enumerable.Range(1, 100), sameQueue.Items);
        Assert.Empty(stuck.Items);
        stuck.Open();
        await stuck.CountAsync(1);
    }

    [Fact]
    public async Task AStuckSubscriber_LosesTheOldest_IsTold_AndGetsTheNewest()
    {
        await using var cluster = await StartAsync();
        using var meter = new MeterReading(cluster.Provider);
        var stuck = new RecordingObserver<int>("stuck", open: false);
        var barrier = new RecordingObserver<int>("barrier");
        await cluster.InClient<int>("stuck").SubscribeAsync((IAsyncObserver<int>)stuck);
        await cluster.InSilo<int>("free").SubscribeAsync((IAsyncObserver<int>)barrier);
        await cluster.InSilo<int>("stuck").OnNextAsync(0);
        await stuck.EnteredAsync();
        for (var item = 1; item <= 50; item++)
        {
            await cluster.InSilo<int>("stuck").OnNextAsync(item);
        }

        // One queue keeps its order: when the barrier has its item, all earlier items have been read.
        await cluster.InSilo<int>("free").OnNextAsync(1);
        await barrier.CountAsync(1);
        Assert.Equal(50 - Capacity, meter["push_streams.items.dropped"]);

        stuck.Open();

        var error = await stuck.ErrorAsync();
        Assert.IsType<QueueCacheMissException>(error);
        Assert.Contains("40 items", error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(PushStreamOptions.StreamCapacity), error.Message, StringComparison.Ordinal);
        await stuck.CountAsync(1 + Capacity);
        Assert.Equal([0, .. Enumerable.Range(41, Capacity)], stuck.Items);

        await cluster.InSilo<int>("stuck").OnNextAsync(51);
        await stuck.CountAsync(1 + Capacity + 1);
        Assert.Equal(51, stuck.Items[^1]);
    }

    [Fact]
    public async Task ASubscriberSlowerThanItsProducer_LosesNothing_BecauseTheProducerWaits()
    {
        await using var cluster = await StartAsync(stuckAfter: TimeSpan.FromSeconds(20));
        using var meter = new MeterReading(cluster.Provider);
        var slow = new RecordingObserver<int>("slow");
        await cluster.InClient<int>("one").SubscribeAsync((IAsyncObserver<int>)slow);

        for (var item = 0; item < 5000; item++)
        {
            await cluster.InSilo<int>("one").OnNextAsync(item);
        }

        await slow.CountAsync(5000);
        Assert.Equal(Enumerable.Range(0, 5000), slow.Items);
        Assert.Equal(0, meter["push_streams.items.dropped"]);
    }

    [Fact]
    public async Task ASubscriberThatDies_TakesNothingFromTheOthers()
    {
        await using var cluster = await StartAsync(impatient: true);
        var doomed = new RecordingObserver<int>("doomed");
        var sameStream = new RecordingObserver<int>("same stream");
        var sameQueue = new RecordingObserver<int>("same queue");
        await cluster.InClient<int>("shared").SubscribeAsync((IAsyncObserver<int>)doomed);
        await cluster.InSilo<int>("shared").SubscribeAsync((IAsyncObserver<int>)sameStream);
        await cluster.InSilo<int>("free").SubscribeAsync((IAsyncObserver<int>)sameQueue);
        await cluster.InSilo<int>("shared").OnNextAsync(0);
        await doomed.CountAsync(1);

        await cluster.Cluster.KillClientAsync();
        for (var item = 1; item <= 100; item++)
        {
            await cluster.InSilo<int>("shared").OnNextAsync(item);
            await cluster.InSilo<int>("free").OnNextAsync(item);
        }

        await sameStream.CountAsync(101);
        await sameQueue.CountAsync(100);
        Assert.Equal(Enumerable.Range(0, 101), sameStream.Items);
        Assert.Equal(Enumerable.Range(1, 100), sameQueue.Items);

        // The dead subscriber is unsubscribed, so it has no cursor left that could lose items.
        var stream = cluster.InSilo<int>("shared");
        var cache = cluster.Queues()[0].Cache!;
        await Deadline.HoldsAsync(() => cache.CursorCount == 2, "the dead subscriber to be removed", () => $"{cache.CursorCount} cursors");
        using var meter = new MeterReading(cluster.Provider);
        for (var item = 101; item <= 150; item++)
        {
            await stream.OnNextAsync(item);
            await sameStream.CountAsync(item + 1);
        }

        Assert.Equal(0, meter["push_streams.items.dropped"]);
    }

    /// <param name="stuckAfter">Longer than a busy machine pauses the subscriber, where it must not count as stuck.</param>
    private static Task<PushCluster> StartAsync(bool impatient = false, TimeSpan? stuckAfter = null) => PushCluster.StartAsync(
        options =>
        {
            options.QueueCount = 1;
            options.StreamCapacity = Capacity;
            options.StuckAfter = stuckAfter ?? options.StuckAfter;
        },
        silo: host =>
        {
            host.AddMemoryGrainStorage("PubSubStore");
            if (impatient)
            {
                host.Configure<Orleans.Configuration.SiloMessagingOptions>(messaging =>
                {
                    messaging.ClientDropTimeout = TimeSpan.FromSeconds(1);
                    messaging.ResponseTimeout = TimeSpan.FromSeconds(2);
                });
            }
        });
}
