using Orleans.Serialization;
using Orleans.Streams;
using OrleansSessions.Streaming.Caching;

namespace OrleansSessions.Streaming.Queues;

/// <summary>Puts the items of a silo's producers into its queues.</summary>
internal sealed class PushAdapter(string name, LocalQueueMapper mapper, PushQueue[] queues, DeepCopier copier) : IQueueAdapter
{
    public string Name => name;

    // The agents of every silo deliver to the same streams, each with its own numbers, so there is no single position to rewind to.
    public bool IsRewindable => false;

    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => new PushReceiver(queues[queueId.GetNumericId()]);

    public Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
    {
        if (token is not null)
        {
            throw new ArgumentException($"Push streams '{name}' number their items themselves. Do not pass a token.", nameof(token));
        }

        var queue = queues[mapper.IndexOf(streamId)];
        return events is T[] { Length: 1 } one
            ? queue.EnqueueAsync(CreateItem(streamId, one[0], requestContext)).AsTask()
            : EnqueueAllAsync(queue, streamId, events, requestContext);
    }

    private async Task EnqueueAllAsync<T>(PushQueue queue, StreamId streamId, IEnumerable<T> events, Dictionary<string, object>? context)
    {
        // Copied first, because the caller can change its list while this method waits for room.
        var items = events.Select(item => CreateItem(streamId, item, context)).ToArray();
        foreach (var item in items)
        {
            await queue.EnqueueAsync(item).ConfigureAwait(false);
        }
    }

    // The copier returns immutable items unchanged. Other items are copied once, so that the producer can continue to change its own.
    private PushItem<T> CreateItem<T>(StreamId streamId, T item, Dictionary<string, object>? context) =>
        new() { StreamId = streamId, Item = copier.Copy(item), Context = context };
}
