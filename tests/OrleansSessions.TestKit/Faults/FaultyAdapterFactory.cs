using Orleans.Streams;
using OrleansSessions.Gateways;

namespace OrleansSessions.TestKit.Faults;

/// <summary>The real queues of one silo, whose producers write through a <see cref="FaultyQueue"/>.</summary>
internal sealed class FaultyAdapterFactory(IQueueAdapterFactory real, FaultyQueue faults) : IQueueAdapterFactory
{
    public Task<IQueueAdapter> CreateAdapter() => CreateAdapter(CancellationToken.None);

    public async Task<IQueueAdapter> CreateAdapter(CancellationToken cancellationToken) => new Adapter(await real.CreateAdapter(cancellationToken), faults);

    public IQueueAdapterCache GetQueueAdapterCache() => real.GetQueueAdapterCache();

    public IStreamQueueMapper GetStreamQueueMapper() => real.GetStreamQueueMapper();

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) => real.GetDeliveryFailureHandler(queueId);

    private sealed class Adapter(IQueueAdapter real, FaultyQueue faults) : IQueueAdapter
    {
        public string Name => real.Name;

        public bool IsRewindable => real.IsRewindable;

        public StreamProviderDirection Direction => real.Direction;

        public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => real.CreateReceiver(queueId);

        public async Task QueueMessageBatchAsync<T>(
            StreamId streamId, IEnumerable<T> events, StreamSequenceToken? token, Dictionary<string, object>? requestContext)
        {
            foreach (var item in events)
            {
                await faults.EnqueueAsync(
                    streamId.GetKeyAsString(), (GatewayItem)(object)item!, () => real.QueueMessageBatchAsync(streamId, [item], token, requestContext));
            }
        }
    }
}
