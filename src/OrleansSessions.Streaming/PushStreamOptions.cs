namespace OrleansSessions.Streaming;

/// <summary>The limits of one push stream provider.</summary>
public sealed class PushStreamOptions
{
    /// <summary>Queues, each with a pulling agent of its own, in every silo. Streams are spread over them. Default 16, from 1 to 256.</summary>
    public int QueueCount { get; set; } = 16;

    /// <summary>Items that may wait in one queue. Past it <c>OnNextAsync</c> waits. Default 4,096, at least 1.</summary>
    public int QueueCapacity { get; set; } = 4096;

    /// <summary>How long <c>OnNextAsync</c> waits for room before it throws <see cref="PushQueueFullException"/>. Default 5 s, at most a day.</summary>
    public TimeSpan EnqueueTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Items of one stream that wait for its slowest subscriber, beside the one delivery under way. Past it the queue waits for that subscriber, and its producers for the queue.
    /// A subscriber that then takes nothing for a quarter of a second is stuck: its oldest items are dropped, counted, and told to its <c>OnErrorAsync</c>, and the queue goes on.
    /// Default 4,096, at least 1.
    /// </summary>
    public int StreamCapacity { get; set; } = 4096;

    /// <summary>Items in one delivery to a subscriber, at most. Default 256, from 1 to 65,536.</summary>
    public int BatchSize { get; set; } = 256;

    /// <summary>
    /// How long a delivery that fails is tried again before it is skipped and the subscriber's <c>OnErrorAsync</c> is told. Default 5 s. A repeat may hand the same items out twice.
    /// A delivery that gets no answer ends with the silo's <c>ResponseTimeout</c>, however short this is; a stopping silo waits for it too.
    /// </summary>
    public TimeSpan MaxDeliveryTime { get; set; } = TimeSpan.FromSeconds(5);
}
