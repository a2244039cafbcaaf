using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>What a pulling agent reads its queue with. An exception here would cost the queue a back-off of ten seconds and more, so there is none.</summary>
internal sealed class PushReceiver(PushQueue queue) : IQueueAdapterReceiver
{
    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken) => queue.ReadAsync(maxCount, cancellationToken);

    // Nobody could end this one, so it must not wait.
    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => Task.FromResult(queue.Take(maxCount));

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public Task Shutdown(TimeSpan timeout)
    {
        queue.Close();
        return Task.CompletedTask;
    }
}
