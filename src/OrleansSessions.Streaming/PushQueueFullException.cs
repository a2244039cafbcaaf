namespace OrleansSessions.Streaming;

/// <summary>An item was not taken: its queue was full for the whole of <see cref="PushStreamOptions.EnqueueTimeout"/>.</summary>
public sealed class PushQueueFullException(string message) : Exception(message);
