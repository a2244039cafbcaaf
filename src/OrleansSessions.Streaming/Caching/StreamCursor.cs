using Orleans.Streams;

namespace OrleansSessions.Streaming.Caching;

/// <summary>The position of one subscriber in one stream.</summary>
internal sealed class StreamCursor(PerStreamCache cache, StreamBuffer buffer, long position) : IQueueCacheCursor
{
    private PushItem? _current;

    /// <summary>The position of the next item in the buffer.</summary>
    public long Position { get; set; } = position;

    /// <summary>Items dropped before this cursor reached them, not yet reported to its subscriber.</summary>
    public long Lost { get; set; }

    /// <summary>True if the cursor has taken nothing for so long that the cache no longer waits for it. The next item it takes resets this.</summary>
    public bool IsStuck { get; set; }

    public IBatchContainer? GetCurrent(out Exception? exception)
    {
        exception = null;
        return _current;
    }

    /// <exception cref="QueueCacheMissException">
    /// Items were dropped. If the miss were returned as a result, the agent would continue silently; when it is thrown, the agent first
    /// calls the subscriber's <c>OnErrorAsync</c>, then continues with a new cursor at the oldest remaining item.
    /// </exception>
    public QueueCacheCursorMoveResult MoveNextWithResult() => MoveNext() ? QueueCacheCursorMoveResult.Success : QueueCacheCursorMoveResult.NoData;

    public bool MoveNext()
    {
        _current = cache.TakeNext(buffer, this);
        return _current is not null;
    }

    public void Refresh(StreamSequenceToken token)
    {
        // A cursor at the end of its stream finds the next item without this call.
    }

    public void RecordDeliveryFailure()
    {
        // The agent has retried until its time limit and has reported the failure to the subscriber: there is nothing to return to.
    }

    public void Dispose() => cache.Remove(buffer, this);
}
