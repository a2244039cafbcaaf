using Orleans.Streams;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class LifetimeTests
{
    [Fact]
    public async Task IdleQueues_BeginOneReadAndWaitInIt()
    {
        await using var cluster = await PushCluster.StartAsync(options => options.QueueCount = 32);
        var queues = cluster.Queues();
        await Deadline.HoldsAsync(() => queues.All(queue => queue.Reads == 1), "all the agents to begin their first read", Reads);
        var subscriber = new RecordingObserver<int>("busy");
        var stream = cluster.InSilo<int>("busy");
        await stream.SubscribeAsync((IAsyncObserver<int>)subscriber);

        for (var item = 1; item <= 500; item++)
        {
            await stream.OnNextAsync(item);
            await subscriber.CountAsync(item);
        }

        var reads = queues.Select(queue => queue.Reads).Order().ToArray();
        Assert.All(reads[..^1], idle => Assert.Equal(1, idle));
        Assert.InRange(reads[^1], 2, 502);

        string Reads() => string.Join(' ', queues.Select(queue => queue.Reads));
    }

    [Fact]
    public async Task Stop_WhileAllQueuesWait_EndsWithinASecond()
    {
        await using var cluster = await PushCluster.StartAsync(options => options.QueueCount = 32);
        var queues = cluster.Queues();
        await Deadline.HoldsAsync(() => queues.All(queue => queue.Reads == 1), "all the agents to begin their first read");

        var stop = cluster.StopAgentsAsync();

        await stop.WaitAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidOperationException>(() => cluster.InSilo<int>("late").OnNextAsync(1));
    }

    [Fact]
    public async Task AgentsStartedAgain_DeliverAgain()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<int>("before and after");
        var stream = cluster.InSilo<int>("one");
        await stream.SubscribeAsync((IAsyncObserver<int>)subscriber);
        await stream.OnNextAsync(1);
        await subscriber.CountAsync(1);

        await cluster.StopAgentsAsync();
        await cluster.StartAgentsAsync();
        await stream.OnNextAsync(2);

        await subscriber.CountAsync(2);
        Assert.Equal([1, 2], subscriber.Items);
    }
}
