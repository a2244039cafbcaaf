using Orleans.Streams;
using OrleansSessions.Streaming.Queues;

namespace OrleansSessions.Streaming.Caching;

/// <summary>How far one subscriber of one stream has come.</summary>
internal sealed class StreamCursor(PerStreamCache cache, StreamBuffer buffer, long position) : IQueueCacheCursor
{
    private PushItem? _current;

    /// <summary>The place of the next item in the buffer.</summary>
    public long Position { get; set; } = position;

    /// <summary>Items dropped before this cursor came to them, not yet told to its subscriber.</summary>
    public long Lost { get; set; }

    /// <summary>It has taken nothing for so long that nobody waits for it any more. Its next step ends that.</summary>
    public bool IsStuck { get; set; }

    public IBatchContainer? GetCurrent(out Exception? exception)
    {
        exception = null;
        return _current;
    }

    /// <exception cref="QueueCacheMissException">
    /// Items were dropped. Returned as a result, a miss would make the agent go on without a word; thrown, it is first handed to the subscriber's <c>OnErrorAsync</c>.
    /// The agent then goes on with a new cursor, at the oldest item that is left.
    /// </exception>
    public QueueCacheCursorMoveResult MoveNextWithResult() => MoveNext() ? QueueCacheCursorMoveResult.Success : QueueCacheCursorMoveResult.NoData;

    public bool MoveNext()
    {
        _current = cache.TakeNext(buffer, this);
        return _current is not null;
    }

    public void Refresh(StreamSequenceToken token)
    {
        // A cursor at the end of its stream sees what comes next by itself.
    }

    public void RecordDeliveryFailure()
    {
        // The agent has retried for as long as it may and has told the subscriber: there is nothing to go back to.
    }

    public void Dispose() => cache.Remove(buffer, this);
}
