namespace OrleansSessions.Streaming;

/// <summary>The limits of one push stream provider.</summary>
public sealed class PushStreamOptions
{
    /// <summary>The number of queues in each silo, each with its own pulling agent. Streams are distributed over them. Default 16, from 1 to 256.</summary>
    public int QueueCount { get; set; } = 16;

    /// <summary>The number of items that can wait in one queue. When it is full, <c>OnNextAsync</c> waits. Default 4,096, at least 1.</summary>
    public int QueueCapacity { get; set; } = 4096;

    /// <summary>How long <c>OnNextAsync</c> waits for room before it throws <see cref="PushQueueFullException"/>. Default 5 s, at most a day.</summary>
    public TimeSpan EnqueueTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The number of items of one stream that can wait for its slowest subscriber, in addition to the delivery in progress. When it is reached,
    /// the queue waits for that subscriber, and the producers wait for the queue. A subscriber that then takes nothing for a quarter of a second
    /// is stuck: its oldest items are dropped, counted, and reported to its <c>OnErrorAsync</c>, and the queue continues. Default 4,096, at least 1.
    /// </summary>
    public int StreamCapacity { get; set; } = 4096;

    /// <summary>The maximum number of items in one delivery to a subscriber. Default 256, from 1 to 65,536.</summary>
    public int BatchSize { get; set; } = 256;

    /// <summary>
    /// How long a failed delivery is retried before it is skipped and the subscriber's <c>OnErrorAsync</c> is called. Default 5 s. A retry can
    /// deliver the same items twice. A delivery that gets no answer ends after the silo's <c>ResponseTimeout</c>, even if this value is shorter;
    /// a silo that stops also waits for it.
    /// </summary>
    public TimeSpan MaxDeliveryTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a subscriber that takes nothing holds up its queue before it is stuck. A quarter of a second: longer than a pause of a process that works,
    /// and short enough for the other subscribers. Set by tests, whose machine can pause for longer.
    /// </summary>
    internal TimeSpan StuckAfter { get; set; } = TimeSpan.FromMilliseconds(250);
}
