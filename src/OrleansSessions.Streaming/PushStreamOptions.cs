namespace OrleansSessions.Streaming;

/// <summary>The limits of one push stream provider.</summary>
public sealed class PushStreamOptions
{
    /// <summary>Queues, each with a pulling agent of its own, in every silo. Streams are spread over them. Default 16, from 1 to 256.</summary>
    public int QueueCount { get; set; } = 16;

    /// <summary>Items that may wait in one queue. Past it <c>OnNextAsync</c> waits. Default 4,096, at least 1.</summary>
    public int QueueCapacity { get; set; } = 4096;

    /// <summary>How long <c>OnNextAsync</c> waits for room before it throws <see cref="PushQueueFullException"/>. Default 5 s.</summary>
    public TimeSpan EnqueueTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Items of one stream that wait for its slowest subscriber. Past it the oldest are dropped, counted, and told to that subscriber's <c>OnErrorAsync</c>. Default 4,096.</summary>
    public int StreamCapacity { get; set; } = 4096;

    /// <summary>Items in one delivery to a subscriber, at most. Default 256.</summary>
    public int BatchSize { get; set; } = 256;

    /// <summary>How long one delivery is tried before it is skipped. Default 5 s.</summary>
    public TimeSpan MaxDeliveryTime { get; set; } = TimeSpan.FromSeconds(5);
}
