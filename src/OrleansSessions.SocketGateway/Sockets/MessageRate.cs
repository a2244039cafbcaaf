namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// Limits the messages of one socket: so many in a minute, and as many at once. Only one time is kept: that at which the allowance would be full again. A
/// mutable struct: keep it in a field that is not readonly.
/// </summary>
internal struct MessageRate
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private long _fullAt;

    /// <summary>Counts a message. Returns null if it is allowed, otherwise how long to wait.</summary>
    /// <param name="perMinute">0 means no limit.</param>
    public TimeSpan? Take(TimeProvider clock, int perMinute)
    {
        if (perMinute == 0)
        {
            return null;
        }

        var now = clock.GetTimestamp();
        var window = (long)(Window.TotalSeconds * clock.TimestampFrequency);
        var next = Math.Max(_fullAt, now) + (window / perMinute);
        if (next - now > window)
        {
            return clock.GetElapsedTime(now, next - window);
        }

        _fullAt = next;
        return null;
    }
}
