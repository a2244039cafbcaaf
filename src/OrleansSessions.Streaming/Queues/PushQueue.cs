using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;

namespace OrleansSessions.Streaming.Queues;

/// <summary>
/// One queue of one silo: producers write, the silo's own pulling agent reads.
/// It takes items from the silo's start, before its agent reads, until the agent has stopped.
/// </summary>
internal sealed partial class PushQueue(string provider, QueueId id, PushStreamOptions options, TimeProvider time, PushStreamMetrics metrics, ILogger<PushQueue> logger)
{
    private volatile Channel<PushItem> _channel = CreateChannel(options.QueueCapacity);

    /// <summary>Reads that an agent has begun: an idle queue begins one and waits in it.</summary>
    public long Reads { get; private set; }

    public int Count => _channel.Reader.Count;

    /// <summary>Where its agent keeps what it has read. Null until there is an agent.</summary>
    public PerStreamCache? Cache { get; private set; }

    /// <summary>Completes at once while there is room; else waits its turn behind those who wait already.</summary>
    /// <exception cref="PushQueueFullException">No room for the whole of <see cref="PushStreamOptions.EnqueueTimeout"/>.</exception>
    /// <exception cref="InvalidOperationException">The silo is stopping: nobody would deliver the item.</exception>
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

    /// <summary>Waits for items and takes at most <paramref name="maxCount"/>. Empty when cancelled or stopped; never throws.</summary>
    public async Task<IList<IBatchContainer>> ReadAsync(int maxCount, CancellationToken cancellationToken)
    {
        Reads++;
        var reader = _channel.Reader;
        try
        {
            var ready = reader.WaitToReadAsync(cancellationToken);
            if (ready.IsCompletedSuccessfully)
            {
                // The agent reads again at once. Without this, a busy queue would keep it from ever going on with its deliveries.
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

    /// <summary>Takes what is there, without waiting.</summary>
    public IList<IBatchContainer> Take(int maxCount) => Take(_channel.Reader, maxCount);

    /// <summary>Readies it for an agent, the first one or, after <see cref="Close"/>, another.</summary>
    public PerStreamCache Open(PerStreamCache cache)
    {
        Cache = cache;
        if (_channel.Reader.Completion.IsCompleted)
        {
            _channel = CreateChannel(options.QueueCapacity);
        }

        return cache;
    }

    /// <summary>Refuses what comes from now on, and those who wait, so that a stop never waits for them.</summary>
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
            throw new InvalidOperationException($"Push streams '{provider}': the silo is stopping, so an item for stream '{item.StreamId}' was not taken.", closed);
        }
        finally
        {
            metrics.Waited(provider, time.GetElapsedTime(start));
        }
    }

    private string FullMessage(PushItem item, TimeSpan waited) => string.Create(
        CultureInfo.InvariantCulture,
        $"Push streams '{provider}': an item for stream '{item.StreamId}' was not taken, since queue '{id}' had all its {options.QueueCapacity} places full for {waited.TotalSeconds:0.###} s. Send less at a time or try again later; where this goes on, raise {nameof(PushStreamOptions)}.{nameof(PushStreamOptions.QueueCapacity)} or {nameof(PushStreamOptions.QueueCount)}.");

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Push streams '{Provider}': queue {Queue} stopped with {Items} items that were not delivered.")]
        public static partial void LeftOver(ILogger logger, string provider, QueueId queue, long items);
    }
}
