using System.Collections.Concurrent;

namespace OrleansSessions.Tests.Sessions;

/// <summary>Another clock, and what each of its timers is set to at the moment.</summary>
internal sealed class RecordingTime(TimeProvider time) : TimeProvider
{
    private readonly ConcurrentDictionary<object, TimeSpan> _due = new();

    public override long TimestampFrequency => time.TimestampFrequency;

    /// <summary>How many timers are set to a time in that range.</summary>
    public int CountSet(TimeSpan from, TimeSpan to) => _due.Values.Count(due => due >= from && due <= to);

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new RecordedTimer(this, time.CreateTimer(callback, state, dueTime, period), dueTime);

    private sealed class RecordedTimer : ITimer
    {
        private readonly RecordingTime _owner;
        private readonly ITimer _timer;

        public RecordedTimer(RecordingTime owner, ITimer timer, TimeSpan dueTime)
        {
            (_owner, _timer) = (owner, timer);
            _owner._due[this] = dueTime;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _owner._due[this] = dueTime;
            return _timer.Change(dueTime, period);
        }

        public void Dispose()
        {
            _owner._due.TryRemove(this, out _);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _owner._due.TryRemove(this, out _);
            return _timer.DisposeAsync();
        }
    }
}
