using Orleans.Streams;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public async Task Items_ToASubscriberInTheSilo_ArriveInOrder()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<int>("in the silo");
        var stream = cluster.InSilo<int>("one");
        await stream.SubscribeAsync((IAsyncObserver<int>)subscriber);

        await ProduceAsync(stream, 3000);

        await subscriber.CountAsync(3000);
        Assert.Equal(Enumerable.Range(0, 3000), subscriber.Items);
    }

    [Fact]
    public async Task Items_ToAClientOutsideTheCluster_ArriveInOrder()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<int>("outside");
        await cluster.InClient<int>("one").SubscribeAsync((IAsyncObserver<int>)subscriber);

        await ProduceAsync(cluster.InSilo<int>("one"), 3000);

        await subscriber.CountAsync(3000);
        Assert.Equal(Enumerable.Range(0, 3000), subscriber.Items);
    }

    [Fact]
    public async Task Items_ThatCameWhileASubscriberWasBusy_ArriveAsFewLists()
    {
        await using var cluster = await PushCluster.StartAsync(options => options.QueueCount = 1);
        var busy = new RecordingObserver<int>("busy", open: false);
        var neighbour = new RecordingObserver<int>("neighbour");
        var stream = cluster.InSilo<int>("busy");
        await stream.SubscribeAsync((IAsyncBatchObserver<int>)busy);
        await cluster.InClient<int>("neighbour").SubscribeAsync((IAsyncObserver<int>)neighbour);
        await stream.OnNextAsync(0);
        await busy.EnteredAsync();

        await ProduceAsync(stream, 1000);

        // One queue keeps its order: when the neighbour has its item, all earlier items have been read.
        await cluster.InSilo<int>("neighbour").OnNextAsync(1);
        await neighbour.CountAsync(1);
        busy.Open();
        await busy.CountAsync(1001);
        Assert.Equal([1, 256, 256, 256, 232], busy.Deliveries);
    }

    [Fact]
    public async Task ABatch_OfOneProducer_ArrivesWholeAndInOrder()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<int>("batch");
        var stream = cluster.InSilo<int>("one");
        await stream.SubscribeAsync((IAsyncBatchObserver<int>)subscriber);

        await stream.OnNextBatchAsync(Enumerable.Range(0, 500));

        await subscriber.CountAsync(500);
        Assert.Equal(Enumerable.Range(0, 500), subscriber.Items);
    }

    [Fact]
    public async Task AnImmutableItem_InsideOneProcess_TravelsByReference()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<Note>("by reference");
        var stream = cluster.InSilo<Note>("notes");
        await stream.SubscribeAsync((IAsyncObserver<Note>)subscriber);
        var note = new Note("hello");

        await stream.OnNextAsync(note);

        await subscriber.CountAsync(1);
        Assert.Same(note, Assert.Single(subscriber.Items));
    }

    [Fact]
    public async Task AMutableItem_ChangedAfterItWasSent_ArrivesAsItWas()
    {
        await using var cluster = await PushCluster.StartAsync();
        var subscriber = new RecordingObserver<List<int>>("copied");
        var stream = cluster.InSilo<List<int>>("lists");
        await stream.SubscribeAsync((IAsyncObserver<List<int>>)subscriber);
        var list = new List<int> { 1 };

        var sent = stream.OnNextAsync(list);
        list.Add(2);
        await sent;

        await subscriber.CountAsync(1);
        Assert.Equal([1], Assert.Single(subscriber.Items));
    }

    [Fact]
    public async Task Items_OfTwoSilos_KeepTheOrderOfEach()
    {
        await using var cluster = await PushCluster.StartAsync(silos: 2);
        var subscriber = new RecordingObserver<int>("of both");
        await cluster.InClient<int>("one").SubscribeAsync((IAsyncObserver<int>)subscriber);

        await Task.WhenAll(
            ProduceAsync(cluster.InSilo<int>("one", silo: 0), 1000),
            ProduceAsync(cluster.InSilo<int>("one", silo: 1), 1000, from: 10_000));

        await subscriber.CountAsync(2000);
        Assert.Equal(Enumerable.Range(0, 1000), subscriber.Items.Where(item => item < 10_000));
        Assert.Equal(Enumerable.Range(10_000, 1000), subscriber.Items.Where(item => item >= 10_000));
    }

    [Fact]
    public async Task Items_FromOneSilo_ReachSubscribersInAnother()
    {
        await using var cluster = await PushCluster.StartAsync(silos: 2);
        var subscriber = new RecordingObserver<int>("in the other silo");
        await cluster.InSilo<int>("one", silo: 1).SubscribeAsync((IAsyncObserver<int>)subscriber);

        await ProduceAsync(cluster.InSilo<int>("one", silo: 0), 100);

        await subscriber.CountAsync(100);
        Assert.Equal(Enumerable.Range(0, 100), subscriber.Items);
    }

    [Fact]
    public async Task ASubscriber_ThatJoinsAStreamUnderWay_GetsWhatIsSentAfterItSubscribed()
    {
        await using var cluster = await PushCluster.StartAsync();
        var first = new RecordingObserver<int>("first");
        var stream = cluster.InSilo<int>("one");
        await stream.SubscribeAsync((IAsyncObserver<int>)first);
        await stream.OnNextAsync(-1);
        await first.CountAsync(1);
        for (var round = 0; round < 20; round++)
        {
            var late = new RecordingObserver<int>($"late {round}");
            var handle = await cluster.InClient<int>("one").SubscribeAsync((IAsyncObserver<int>)late);

            await stream.OnNextAsync(round);

            await late.CountAsync(1);
            Assert.Equal(round, late.Items[^1]);
            await handle.UnsubscribeAsync();
        }
    }

    [Fact]
    public async Task ProducingFromAClientOutsideTheCluster_IsRefusedWithWhatToDoInstead()
    {
        await using var cluster = await PushCluster.StartAsync();

        var refusal = await Assert.ThrowsAsync<NotSupportedException>(() => cluster.InClient<int>("one").OnNextAsync(1));

        Assert.Contains(cluster.Provider, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("call a grain", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task ProduceAsync(IAsyncStream<int> stream, int count, int from = 0)
    {
        for (var item = from; item < from + count; item++)
        {
            await stream.OnNextAsync(item);
        }
    }
}

[GenerateSerializer, Immutable, Alias("OrleansSessions.Tests.Note")]
public sealed record Note([property: Id(0)] string Text);
