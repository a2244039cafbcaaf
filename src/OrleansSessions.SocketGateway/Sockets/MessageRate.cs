namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>
/// Limits the messages of one socket: so many in a minute, and a tenth of them at once, so that a client gains nothing by connecting again. Only one time is
/// kept: that at which the allowance would be full again. A mutable struct: keep it in a field that is not readonly.
/// </summary>
internal struct MessageRate
{
    private const int BurstDivisor = 10;

    // A long message costs a session, a responder and a log as much as several short ones.
    private const int BytesOfOne = 4096;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private long _fullAt;

    /// <summary>Counts a message, once for each 4 KiB that it begins. Returns null if it is allowed, otherwise how long to wait.</summary>
    /// <param name="perMinute">0 means no limit.</param>
    public TimeSpan? Take(TimeProvider clock, int perMinute, int bytes)
    {
        if (perMinute == 0)
        {
            return null;
        }

        var now = clock.GetTimestamp();
        var each = (long)(Window.TotalSeconds * clock.TimestampFrequency) / perMinute;
        var most = Math.Max(1, perMinute / BurstDivisor);
        var burst = each * most;
        var next = Math.Max(_fullAt, now) + (each * Math.Min(most, 1 + (bytes / BytesOfOne)));
        if (next - now > burst)
        {
            return clock.GetElapsedTime(now, next - burst);
        }

        _fullAt = next;
        return null;
    }
}
