namespace OrleansSessions.Streaming;

/// <summary>
/// An item was not taken: its queue was full for the whole of <see cref="PushStreamOptions.EnqueueTimeout"/>. Safe to send again, later or less at a time.
/// Of the items of one <c>OnNextBatchAsync</c>, those before it were taken.
/// </summary>
public sealed class PushQueueFullException(string message) : Exception(message);
