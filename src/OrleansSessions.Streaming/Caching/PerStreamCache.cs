using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orleans.Streams;

namespace OrleansSessions.Streaming.Caching;

/// <summary>
/// The items that one agent has read and not yet delivered. Each stream has its own buffer: a subscriber that takes nothing fills
/// only that buffer, loses its oldest items, and does not delay the other streams.
/// </summary>
internal sealed partial class PerStreamCache : IQueueCache, IDisposable
{
    // Long enough for the handshake with a new subscriber, which starts at the first item that arrived during the handshake.
    private static readonly TimeSpan LateSubscriberTime = TimeSpan.FromSeconds(5);

    private const int SmallestRead = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<StreamId, StreamBuffer> _buffers = [];
    private readonly string _provider;
    private readonly PushStreamOptions _options;
    private readonly PushStreamMetrics _metrics;
    private readonly ILogger<PerStreamCache> _logger;
    private readonly ITimer _sweeper;
    private readonly TimeProvider _time;
    private TaskCompletionSource? _progress;
    private bool _sweepDue;
    private long _lastNumber;

    public PerStreamCache(string provider, PushStreamOptions options, TimeProvider time, PushStreamMetrics metrics, ILogger<PerStreamCache> logger)
    {
        _provider = provider;
        _options = options;
        _metrics = metrics;
        _logger = logger;
        _time = time;
        _sweeper = time.CreateTimer(static cache => ((PerStreamCache)cache!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Streams that have a buffer.</summary>
    public int StreamCount
    {
        get
        {
            lock (_lock)
            {
                return _buffers.Count;
            }
        }
    }

    /// <summary>Cursors of all subscribers, including registrations in progress.</summary>
    public int CursorCount
    {
        get
        {
            lock (_lock)
            {
                return _buffers.Values.Sum(static buffer => buffer.CursorCount);
            }
        }
    }

    // Limits one read, so that deliveries start while more items wait.
    // The first read of a stream happens before the stream has subscribers, so its buffer must hold all of it.
    public int GetMaxAddCount() => Math.Min(Math.Max(_options.BatchSize, SmallestRead), _options.StreamCapacity);

    // Each buffer makes room by itself. If the agent stopped reading, streams that are not full would wait too.
    public bool IsUnderPressure() => false;

    public bool TryPurgeFromCache([MaybeNullWhen(false)] out IList<IBatchContainer> purgedItems)
    {
        purgedItems = null;
        return false;
    }

    /// <summary>
    /// Returns how many items can be read without a subscriber losing one. If there is no room, it waits for the slowest subscriber,
    /// at most <see cref="PushStreamOptions.StuckAfter"/> in total; subscribers that still block the read are then marked as stuck.
    /// </summary>
    public async ValueTask<int> RoomAsync(int wanted, CancellationToken cancellationToken)
    {
        var start = 0L;
        while (true)
        {
            Task progress;
            lock (_lock)
            {
                var room = Room(wanted);
                if (room > 0)
                {
                    _progress = null;
                    return room;
                }

                start = start == 0 ? _time.GetTimestamp() : start;
                _progress = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                progress = _progress.Task;
            }

            var patience = _options.StuckAfter - _time.GetElapsedTime(start);
            if (patience <= TimeSpan.Zero || !await IsMetAsync(progress, patience, cancellationToken))
            {
                MarkStuck();
            }
        }
    }

    public void AddToCache(IList<IBatchContainer> messages)
    {
        lock (_lock)
        {
            StreamBuffer? buffer = null;
            foreach (var message in messages)
            {
                var item = (PushItem)message;
                item.Number = ++_lastNumber;
                if (buffer is null || !buffer.Stream.Equals(item.StreamId))
                {
                    buffer = GetOrAdd(item.StreamId);
                }

                var lost = buffer.Add(item, out var newlyStuck);
                if (lost > 0)
                {
                    Report(buffer, lost, newlyStuck);
                }
            }

            if (!_sweepDue)
            {
                _sweepDue = _sweeper.Change(LateSubscriberTime, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>
    /// Returns a cursor at the token. Without a token, it starts at the oldest remaining item if the stream's last cursor lost its place,
    /// otherwise at the next item that arrives.
    /// </summary>
    public IQueueCacheCursor GetCacheCursor(StreamId streamId, StreamSequenceToken? token)
    {
        lock (_lock)
        {
            return GetOrAdd(streamId).Attach(this, token?.SequenceNumber);
        }
    }

    public PushItem? TakeNext(StreamBuffer buffer, StreamCursor cursor)
    {
        long lost;
        lock (_lock)
        {
            if (cursor.Lost == 0)
            {
                _progress?.TrySetResult();
                return buffer.Next(cursor);
            }

            lost = buffer.TakeLost(cursor);
        }

        throw new QueueCacheMissException(string.Create(
            CultureInfo.InvariantCulture,
            $"Push streams '{_provider}': {lost} items of stream '{buffer.Stream}' were dropped, the oldest first, because this subscriber fell behind "
                + $"by more than {nameof(PushStreamOptions)}.{nameof(PushStreamOptions.StreamCapacity)} = {_options.StreamCapacity}."));
    }

    public void Remove(StreamBuffer buffer, StreamCursor cursor)
    {
        lock (_lock)
        {
            _progress?.TrySetResult();
            buffer.Detach(cursor);
            RemoveIfUnused(buffer);
        }
    }

    public void Dispose() => _sweeper.Dispose();

    private void Sweep()
    {
        lock (_lock)
        {
            var goOn = false;
            foreach (var buffer in _buffers.Values)
            {
                goOn |= buffer.Sweep();
                RemoveIfUnused(buffer);
            }

            _sweepDue = goOn && _sweeper.Change(LateSubscriberTime, Timeout.InfiniteTimeSpan);
        }
    }

    private int Room(int wanted)
    {
        var room = wanted;
        foreach (var buffer in _buffers.Values)
        {
            room = Math.Min(room, buffer.Room(wanted));
        }

        return room;
    }

    private void MarkStuck()
    {
        lock (_lock)
        {
            foreach (var buffer in _buffers.Values)
            {
                buffer.MarkStuck();
            }
        }
    }

    private async ValueTask<bool> IsMetAsync(Task task, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(patience, _time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private StreamBuffer GetOrAdd(StreamId stream)
    {
        if (!_buffers.TryGetValue(stream, out var buffer))
        {
            buffer = new StreamBuffer(stream, _options.StreamCapacity, _options.BatchSize);
            _buffers.Add(stream, buffer);
        }

        return buffer;
    }

    private void RemoveIfUnused(StreamBuffer buffer)
    {
        if (buffer.IsUnused)
        {
            _buffers.Remove(buffer.Stream);
        }
    }

    private void Report(StreamBuffer buffer, int lost, int newlyStuck)
    {
        _metrics.DroppedForSlowSubscriber(_provider, lost);
        for (; newlyStuck > 0; newlyStuck--)
        {
            LogMessages.FellBehind(_logger, _provider, buffer.Stream, _options.StreamCapacity);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(
            1,
            LogLevel.Warning,
            "Push streams '{Provider}': a subscriber of stream {Stream} is {Capacity} items behind. "
            + "Its oldest items are dropped until it takes some, and it receives an error.")]
        public static partial void FellBehind(ILogger logger, string provider, StreamId stream, int capacity);
    }
}
