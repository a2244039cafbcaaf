using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>The provider in a client outside the cluster. Subscriptions need nothing from it, and a client has no queue to produce to.</summary>
internal sealed class ClientAdapterFactory(string name) : IQueueAdapterFactory, IQueueAdapter
{
    public string Name => name;

    public bool IsRewindable => false;

    // Not ReadOnly: Orleans would then refuse producers with a message that does not say what to do instead.
    public StreamProviderDirection Direction => StreamProviderDirection.ReadWrite;

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public Task QueueMessageBatchAsync<T>(StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext) =>
        throw new NotSupportedException(
            $"A client can only subscribe to push streams '{name}'. To produce to stream '{streamId}', call a grain that produces the item inside a silo.");

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => throw SiloOnly();

    public IQueueAdapterCache GetQueueAdapterCache() => throw SiloOnly();

    public IStreamQueueMapper GetStreamQueueMapper() => throw SiloOnly();

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => throw SiloOnly();

    private NotSupportedException SiloOnly() => new($"Push streams '{name}' have queues only in silos.");
}
