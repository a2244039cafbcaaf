using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Orleans.Streams;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class BackPressureTests
{
    [Fact]
    public async Task AFullQueue_MakesProducersWait_ThenRefuses_ThenGoesOnWhenThereIsRoom()
    {
        var store = new GatedPubSubStore();
        await using var cluster = await PushCluster.StartAsync(
            options =>
            {
                options.QueueCount = 1;
                options.QueueCapacity = 4;
                options.EnqueueTimeout = TimeSpan.FromMilliseconds(200);
            },
            silo: host => host.Services.AddKeyedSingleton<IGrainStorage>("PubSubStore", store));
        using var meter = new MeterReading(cluster.Provider);
        var stream = cluster.InSilo<int>("one");
        var queue = cluster.Queues()[0];

        // 1. The first item is read, and the registration of its stream then blocks the queue.
        await stream.OnNextAsync(0);
        await Deadline.HoldsAsync(() => queue.Count == 0, "the agent to read the first item", () => $"{queue.Count} in the queue");

        // 2. Items that there is room for are accepted at once.
        for (var item = 1; item <= 4; item++)
        {
            Assert.True(stream.OnNextAsync(item).IsCompletedSuccessfully);
        }

        Assert.Equal(4, meter.Observe("push_streams.items.waiting"));

        // 3. The next item waits, and is refused with an error that says what to do.
        var refused = stream.OnNextAsync(5);
        Assert.False(refused.IsCompleted);
        var refusal = await Assert.ThrowsAsync<PushQueueFullException>(() => refused);
        Assert.Contains(cluster.Provider, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("was full (4 items)", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(PushStreamOptions.QueueCapacity), refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, meter["push_streams.items.rejected"]);
        Assert.True(meter["push_streams.enqueue.wait.duration"] > 0);

        // 4. When there is room again, delivery continues.
        store.Open();
        await Deadline.HoldsAsync(() => queue.Count == 0, "the agent to empty the queue", () => $"{queue.Count} in the queue");
        var subscriber = new RecordingObserver<int>("after the jam");
        await stream.SubscribeAsync((IAsyncObserver<int>)subscriber);
        await stream.OnNextAsync(6);
        await subscriber.CountAsync(1);
        Assert.Equal(6, subscriber.Items[^1]);
        Assert.DoesNotContain(5, subscriber.Items);
        Assert.Equal(6, meter["push_streams.items.enqueued"]);
    }
}
