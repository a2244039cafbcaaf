using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Providers.Streams.Common;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;
using Xunit;

namespace OrleansSessions.Streaming.Tests;

public sealed class PerStreamCacheTests : IDisposable
{
    private static readonly StreamId A = StreamId.Create("tests", "a");
    private static readonly StreamId B = StreamId.Create("tests", "b");

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly PerStreamCache _cache;

    public PerStreamCacheTests() => _cache = new(
        "unit",
        new PushStreamOptions { StreamCapacity = 20, BatchSize = 4 },
        _time,
        new PushStreamMetrics(_services.GetRequiredService<IMeterFactory>()),
        NullLogger<PerStreamCache>.Instance);

    [Fact]
    public void ACursor_GetsTheItemsOfItsStreamFromItsToken()
    {
        Add(A, 1, 2);
        Add(B, 3);
        Add(A, 4);
        using var fromTheSecond = Attach(A, new EventSequenceTokenV2(2));

        Assert.Equal([2, 4], Drain(fromTheSecond));
    }

    [Fact]
    public void ACursorWithoutAToken_GetsWhatComesNext()
    {
        Add(A, 1);
        using var next = Attach(A);
        Assert.Empty(Drain(next));

        Add(A, 2, 3);

        Assert.Equal([2, 3], Drain(next));
    }

    [Fact]
    public void ACursorThatFellBehind_ThrowsOnce_AndTheNextOneGoesOnAtTheOldestLeft()
    {
        using var quick = Attach(A);
        var stuck = Attach(A);
        for (var value = 1; value <= 50; value++)
        {
            Add(A, value);
            Assert.Equal([value], Drain(quick));
        }

        var error = Assert.Throws<QueueCacheMissException>(() => stuck.MoveNextWithResult());
        Assert.Contains("30 items", error.Message, StringComparison.Ordinal);
        stuck.Dispose();
        using var successor = Attach(A);

        Assert.Equal(Enumerable.Range(31, 20), Drain(successor));
        using var newcomer = Attach(A);
        Assert.Empty(Drain(newcomer));
    }

    [Fact]
    public void AFullStream_DropsNothingOfAnother()
    {
        using var stuck = Attach(A);
        using var other = Attach(B);
        Add(B, 1);
        for (var value = 2; value < 100; value++)
        {
            Add(A, value);
        }

        Add(B, 100);

        Assert.Equal([1, 100], Drain(other));
    }

    [Fact]
    public async Task Room_WaitsForASlowSubscriber()
    {
        using var slow = Attach(A);
        Add(A, [.. Enumerable.Range(0, 18)]);
        Assert.Equal(2, await _cache.RoomAsync(4, CancellationToken.None));
        Add(A, 18, 19);
        var room = _cache.RoomAsync(4, CancellationToken.None).AsTask();
        Assert.False(room.IsCompleted);

        slow.MoveNextWithResult();

        await Deadline.MeetAsync(room, "room after the slow subscriber takes an item");
        Assert.Equal(1, await room);
    }

    [Fact]
    public async Task Room_GivesUpOnAStuckSubscriber_UntilItTakesAStep()
    {
        using var stuck = Attach(A);
        Add(A, [.. Enumerable.Range(0, 20)]);
        var room = _cache.RoomAsync(4, CancellationToken.None).AsTask();

        _time.Advance(TimeSpan.FromMilliseconds(250));

        await Deadline.MeetAsync(room, "room in spite of the stuck subscriber");
        Assert.Equal(4, await room);
        Assert.True(_cache.RoomAsync(4, CancellationToken.None).AsTask().IsCompletedSuccessfully);
        stuck.MoveNextWithResult();
        Assert.Equal(1, await _cache.RoomAsync(4, CancellationToken.None));
    }

    [Fact]
    public async Task Room_WhenCancelled_EndsTheWait()
    {
        using var stuck = Attach(A);
        Add(A, [.. Enumerable.Range(0, 20)]);
        using var stop = new CancellationTokenSource();
        var room = _cache.RoomAsync(4, stop.Token).AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => room);
    }

    [Fact]
    public void AStreamWithoutSubscribers_HoldsAFewItemsForAShortTime()
    {
        for (var value = 0; value < 100; value++)
        {
            Add(A, value);
        }

        using (var late = Attach(A, new EventSequenceTokenV2(0)))
        {
            Assert.InRange(Drain(late).Count, 4, 20);
        }

        Assert.Equal(1, _cache.StreamCount);
        _time.Advance(TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(0, _cache.StreamCount);
    }

    [Fact]
    public void Sweeps_LeaveWhatASubscriberStillNeeds()
    {
        using var slow = Attach(A);
        Add(A, 1, 2, 3);
        for (var sweep = 0; sweep < 4; sweep++)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal([1, 2, 3], Drain(slow));
    }

    [Fact]
    public void AClosedCursor_LeavesNothingBehind()
    {
        Attach(A).Dispose();

        Assert.Equal(0, _cache.StreamCount);
        Assert.Equal(0, _cache.CursorCount);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _services.Dispose();
    }

    private static List<int> Drain(IQueueCacheCursor cursor)
    {
        var values = new List<int>();
        while (cursor.MoveNextWithResult().Kind == QueueCacheCursorMoveResultKind.Success)
        {
            values.Add(((PushItem<int>)cursor.GetCurrent(out _)!).Item);
        }

        return values;
    }

    private IQueueCacheCursor Attach(StreamId stream, StreamSequenceToken? token = null) => ((IQueueCache)_cache).TryGetCacheCursor(stream, token).Cursor!;

    private void Add(StreamId stream, params int[] values) =>
        _cache.AddToCache([.. values.Select(value => new PushItem<int> { StreamId = stream, Item = value })]);
}
