namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The time of one session. It starts from the wall clock and runs on the monotonic one, so that a step of the wall clock
/// neither ends a question nor delays its end.
/// </summary>
internal sealed class SessionClock
{
    private readonly TimeProvider _time;
    private DateTimeOffset _setTo;
    private long _setAt;

    public SessionClock(TimeProvider time)
    {
        _time = time;
        Set();
    }

    public DateTimeOffset Now => _setTo + _time.GetElapsedTime(_setAt);

    /// <summary>The time at which the time provider gave this timestamp.</summary>
    public DateTimeOffset At(long timestamp) => _setTo + _time.GetElapsedTime(_setAt, timestamp);

    /// <summary>Reads the wall clock again. Call it only while nothing is open: deadlines already set would move with it.</summary>
    public void Set() => (_setTo, _setAt) = (_time.GetUtcNow(), _time.GetTimestamp());
}
