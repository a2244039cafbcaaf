using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;

namespace OrleansSessions.Streaming.Queues;

/// <summary>
/// One queue of one silo: producers write to it, and the silo's own pulling agent reads from it.
/// It accepts items from the start of the silo, before its agent reads, until the agent has stopped.
/// </summary>
internal sealed partial class PushQueue(string provider, QueueId id, PushStreamOptions options, TimeProvider time, PushStreamMetrics metrics, ILogger<PushQueue> logger)
{
    private volatile Channel<PushItem> _channel = CreateChannel(options.QueueCapacity);

    /// <summary>The number of reads that an agent has started. An idle queue has one read that waits.</summary>
    public long Reads { get; private set; }

    public int Count => _channel.Reader.Count;

    /// <summary>Where the agent keeps the items it has read. Null until there is an agent.</summary>
    public PerStreamCache? Cache { get; private set; }

    /// <summary>Adds an item. Completes at once if there is room, otherwise waits behind the items that already wait.</summary>
    /// <exception cref="PushQueueFullException">There was no room for the whole of <see cref="PushStreamOptions.EnqueueTimeout"/>.</exception>
    /// <exception cref="InvalidOperationException">The silo is stopping, so the item would not be delivered.</exception>
    public ValueTask EnqueueAsync(PushItem item)
    {
        var writer = _channel.Writer;
        if (writer.TryWrite(item))
        {
            metrics.Enqueued(provider);
            return ValueTask.CompletedTask;
        }

        return WaitForRoomAsync(writer, item);
    }

    /// <summary>Waits for items and takes at most <paramref name="maxCount"/>. Returns an empty list when cancelled or stopped; never throws.</summary>
    public async Task<IList<IBatchContainer>> ReadAsync(int maxCount, CancellationToken cancellationToken)
    {
        Reads++;
        var reader = _channel.Reader;
        try
        {
            var ready = reader.WaitToReadAsync(cancellationToken);
            if (ready.IsCompletedSuccessfully)
            {
                // The agent reads again immediately. Without this yield, a busy queue would prevent it from ever continuing its deliveries.
                await Task.Yield();
            }

            if (!await ready)
            {
                return [];
            }

            return Take(reader, Cache is null ? maxCount : await Cache.RoomAsync(maxCount, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return [];
        }
    }

    /// <summary>Takes the items that are available, without waiting.</summary>
    public IList<IBatchContainer> Take(int maxCount) => Take(_channel.Reader, maxCount);

    /// <summary>Prepares the queue for its first agent or, after <see cref="Close"/>, for another one.</summary>
    public PerStreamCache Open(PerStreamCache cache)
    {
        Cache = cache;
        if (_channel.Reader.Completion.IsCompleted)
        {
            _channel = CreateChannel(options.QueueCapacity);
        }

        return cache;
    }

    /// <summary>Refuses new items and the producers that wait, so that a stop never waits for them.</summary>
    public void Close()
    {
        Cache?.Dispose();
        var channel = _channel;
        channel.Writer.TryComplete();
        long left = 0;
        while (channel.Reader.TryRead(out _))
        {
            left++;
        }

        if (left > 0)
        {
            metrics.DroppedAtStop(provider, left);
            LogMessages.LeftOver(logger, provider, id, left);
        }
    }

    private static Channel<PushItem> CreateChannel(int capacity) =>
        Channel.CreateBounded<PushItem>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private static List<IBatchContainer> Take(ChannelReader<PushItem> reader, int maxCount)
    {
        var items = new List<IBatchContainer>(Math.Min(maxCount, Math.Max(reader.Count, 1)));
        while (items.Count < maxCount && reader.TryRead(out var item))
        {
            items.Add(item);
        }

        return items;
    }

    private async ValueTask WaitForRoomAsync(ChannelWriter<PushItem> writer, PushItem item)
    {
        var start = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(options.EnqueueTimeout, time);
        try
        {
            await writer.WriteAsync(item, deadline.Token).ConfigureAwait(false);
            metrics.Enqueued(provider);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            metrics.Rejected(provider);
            throw new PushQueueFullException(FullMessage(item, time.GetElapsedTime(start)));
        }
        catch (ChannelClosedException closed)
        {
            throw new InvalidOperationException(
                $"Push streams '{provider}': the silo is stopping, so an item for stream '{item.StreamId}' was refused.", closed);
        }
        finally
        {
            metrics.Waited(provider, time.GetElapsedTime(start));
        }
    }

    private string FullMessage(PushItem item, TimeSpan waited) => string.Create(
        CultureInfo.InvariantCulture,
        $"Push streams '{provider}': an item for stream '{item.StreamId}' was refused because queue '{id}' was full ({options.QueueCapacity} items) "
        + $"for {waited.TotalSeconds:0.###} s. "
        + $"Send fewer items at a time or try again later. If this continues, "
        + $"increase {nameof(PushStreamOptions)}.{nameof(PushStreamOptions.QueueCapacity)} or {nameof(PushStreamOptions.QueueCount)}.");

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Push streams '{Provider}': queue {Queue} stopped with {Items} undelivered items.")]
        public static partial void LeftOver(ILogger logger, string provider, QueueId queue, long items);
    }
}
