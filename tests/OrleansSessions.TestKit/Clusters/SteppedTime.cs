namespace OrleansSessions.TestKit.Clusters;

/// <summary>The time of another clock, with a wall clock that can be set independently. Timestamps and timers do not notice.</summary>
public sealed class SteppedTime(TimeProvider time) : TimeProvider
{
    private long _offset;

    public override long TimestampFrequency => time.TimestampFrequency;

    public void Step(TimeSpan by) => Interlocked.Add(ref _offset, by.Ticks);

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _offset));

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);
}
