namespace OrleansSessions.SocketGateway.Following;

/// <summary>Counts refusals in a row, and forgets them when they are older than a window.</summary>
internal struct StrikeCounter
{
    private int _count;
    private long _firstAt;

    /// <summary>Counts a refusal. Returns true once there were <paramref name="most"/> in a row within the window.</summary>
    public bool Hit(TimeProvider clock, int most, TimeSpan window)
    {
        var now = clock.GetTimestamp();
        if (_count == 0 || clock.GetElapsedTime(_firstAt, now) > window)
        {
            _count = 0;
            _firstAt = now;
        }

        return ++_count >= most;
    }

    public void Forgive() => _count = 0;
}
