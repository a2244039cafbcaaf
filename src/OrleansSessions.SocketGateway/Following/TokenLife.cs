using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>How long the token of a connection is still valid. It is measured by the monotonic clock from the moment at which the token was accepted.</summary>
internal readonly struct TokenLife
{
    /// <summary>How long before the end a client is told, so that it has time to fetch a fresh token.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromMinutes(1);

    private readonly TimeProvider? _clock;
    private readonly long _since;
    private readonly TimeSpan _duration;

    private TokenLife(TimeProvider clock, TimeSpan duration) => (_clock, _since, _duration) = (clock, clock.GetTimestamp(), duration);

    /// <summary>
    /// The life of the token that was accepted now, which can be without end. A scheme can accept a token shortly after its end, because clocks differ. Such
    /// a token lives for <see cref="Notice"/>: its connection must not close at once while the same token is accepted elsewhere.
    /// </summary>
    public static TokenLife Of(CallerIdentity caller, TimeProvider clock) => caller.ExpiresAt is not { } end ? default
        : end - clock.GetUtcNow() is var left && left > TimeSpan.Zero ? new(clock, left)
        : new(clock, Notice);

    /// <summary>The time that is left, at least zero, or null if the token does not expire.</summary>
    public TimeSpan? Left => _clock is null ? null : TimeSpan.FromTicks(Math.Max(0, (_duration - _clock.GetElapsedTime(_since)).Ticks));

    /// <inheritdoc cref="Left"/>
    public long? LeftMs => (long?)Left?.TotalMilliseconds;
}
