using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>The provider in a client outside the cluster: subscriptions need nothing of it, and there is no queue to produce to.</summary>
internal sealed class ClientAdapterFactory(string name) : IQueueAdapterFactory, IQueueAdapter
{
    public string Name => name;

    public bool IsRewindable => false;

    // Not ReadOnly: Orleans would then refuse producers with words that do not say what to do instead.
    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext) =>
        throw new NotSupportedException(
            $"Push streams '{name}' are produced inside a silo: a client can only subscribe. Call a grain and let it produce to stream '{streamId}'.");

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => throw SiloOnly();

    public IQueueAdapterCache GetQueueAdapterCache() => throw SiloOnly();

    public IStreamQueueMapper GetStreamQueueMapper() => throw SiloOnly();

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => throw SiloOnly();

    private NotSupportedException SiloOnly() => new($"Push streams '{name}' have queues in silos only.");
}
