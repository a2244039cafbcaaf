using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>Permanently assigns a silo all of its own queues. No other silo can read them, so silos that join or leave change nothing.</summary>
internal sealed class LocalQueueBalancer : IStreamQueueBalancer
{
    private IEnumerable<QueueId> _queues = [];

    public Task Initialize(IStreamQueueMapper queueMapper)
    {
        _queues = queueMapper.GetAllQueues();
        return Task.CompletedTask;
    }

    public Task Shutdown() => Task.CompletedTask;

    public IEnumerable<QueueId> GetMyQueues() => _queues;

    public bool SubscribeToQueueDistributionChangeEvents(IStreamQueueBalanceListener observer) => true;

    public bool UnSubscribeFromQueueDistributionChangeEvents(IStreamQueueBalanceListener observer) => true;
}
