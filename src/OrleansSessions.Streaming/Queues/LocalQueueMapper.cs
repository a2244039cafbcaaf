using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>Distributes streams over the queues of one silo. Every silo has queues with the same names, each with its own items.</summary>
internal sealed class LocalQueueMapper : IStreamQueueMapper
{
    private readonly QueueId[] _queues;

    public LocalQueueMapper(string provider, int count)
    {
        _queues = new QueueId[count];
        for (var index = 0; index < count; index++)
        {
            _queues[index] = QueueId.GetQueueId(provider, (uint)index, (uint)index);
        }
    }

    public QueueId this[int index] => _queues[index];

    public IEnumerable<QueueId> GetAllQueues() => _queues;

    public QueueId GetQueueForStream(StreamId streamId) => _queues[IndexOf(streamId)];

    public int IndexOf(StreamId streamId) => (int)((uint)streamId.GetHashCode() % (uint)_queues.Length);
}
