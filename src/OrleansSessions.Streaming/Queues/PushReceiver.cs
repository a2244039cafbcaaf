using Orleans.Streams;

namespace OrleansSessions.Streaming.Queues;

/// <summary>Reads a queue for its pulling agent. It never throws: an exception would make the agent back off for ten seconds or more.</summary>
internal sealed class PushReceiver(PushQueue queue) : IQueueAdapterReceiver
{
    public Task Initialize(TimeSpan timeout) => Task.CompletedTask;

    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount, CancellationToken cancellationToken) => queue.ReadAsync(maxCount, cancellationToken);

    // This overload cannot be cancelled, so it must not wait.
    public Task<IList<IBatchContainer>> GetQueueMessagesAsync(int maxCount) => Task.FromResult(queue.Take(maxCount));

    public Task MessagesDeliveredAsync(IList<IBatchContainer> messages) => Task.CompletedTask;

    public Task Shutdown(TimeSpan timeout)
    {
        queue.Close();
        return Task.CompletedTask;
    }
}
