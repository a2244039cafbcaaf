namespace OrleansSessions.Streaming;

/// <summary>
/// The item was refused because its queue was full for the whole of <see cref="PushStreamOptions.EnqueueTimeout"/>. It is safe to send
/// the item again later, or to send fewer items at a time. When one <c>OnNextBatchAsync</c> call fails, the items before this one were accepted.
/// </summary>
public sealed class PushQueueFullException(string message) : Exception(message);
