namespace OrleansSessions.Grains.Scopes;

/// <summary>So many tokens in a minute, and as many at once. It refills by the monotonic clock, and begins full.</summary>
internal sealed class TokenBucket(int perMinute, TimeProvider time)
{
    private readonly double _perSecond = perMinute / 60.0;
    private double _tokens = perMinute;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Takes up to so many whole tokens.</summary>
    public int Take(int wanted)
    {
        Refill();
        var taken = Math.Min(wanted, (int)_tokens);
        _tokens -= taken;
        return taken;
    }

    /// <summary>How long it takes until there is one whole token.</summary>
    public TimeSpan NextToken() => TimeSpan.FromSeconds(Math.Max(0, 1 - _tokens) / _perSecond);

    /// <summary>How long it takes until it is full.</summary>
    public TimeSpan UntilFull()
    {
        Refill();
        return TimeSpan.FromSeconds((perMinute - _tokens) / _perSecond);
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(perMinute, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * _perSecond));
        _filledAt = now;
    }
}
