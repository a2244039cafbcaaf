using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Why a client is asked to connect again.</summary>
internal readonly record struct DepartureReason(string Name, int CloseCode, string CloseReason)
{
    public static readonly DepartureReason Draining = new("draining", CloseCodes.Draining, "This node is shutting down.");
    public static readonly DepartureReason MaxAge = new("max_age", CloseCodes.MaxAge, "This connection is as old as it may be.");
}

/// <summary>
/// Sends the client of one follower to another connection. A v1 client is told when to open it, and has both until the new one is live. A basic client cannot be
/// told, so it is closed after the delay, once it has nothing open.
/// </summary>
internal sealed class FollowerDeparture(Follower follower)
{
    /// <summary>The shortest age at which a connection leaves, as a part of <see cref="SocketGatewayOptions.MaxConnectionAge"/>.</summary>
    private const double ShortestAge = 0.9;

    private readonly long? _agedAt = follower.Services.Options.MaxConnectionAge is { } age
        ? follower.Services.Clock.GetTimestamp() + InTicks(follower.Services.Clock, age * (ShortestAge + ((1 - ShortestAge) * Random.Shared.NextDouble())))
        : null;

    private DepartureReason? _reason;
    private long _leaveAt;
    private long _closeAt;

    /// <summary>Why the client was asked to leave; null if it was not.</summary>
    public DepartureReason? Reason
    {
        get
        {
            lock (follower.Gate)
            {
                return _reason;
            }
        }
    }

    /// <summary>Asks the client to come back after the delay. Only the first call counts.</summary>
    public void Begin(DepartureReason reason, TimeSpan delay)
    {
        lock (follower.Gate)
        {
            if (_reason is not null || follower.IsClosing || !follower.IsAttached || follower.Grace is not { } grace)
            {
                return;
            }

            var clock = follower.Services.Clock;
            _reason = reason;
            _leaveAt = clock.GetTimestamp() + InTicks(clock, delay);
            _closeAt = _leaveAt + InTicks(clock, grace);
            if (follower.Request.Profile == WireProfile.V1 && grace > TimeSpan.Zero)
            {
                follower.Writer.Enqueue(new ReconnectMessage(reason.Name, (long)delay.TotalMilliseconds));
            }
        }

        follower.Flush();
        CloseIfDue(follower.Services.Clock.GetTimestamp());
    }

    /// <summary>
    /// Lets a follower go that is old enough, and closes one when its client has had enough time. Call it about once per
    /// second.
    /// </summary>
    public void Check(long now)
    {
        if (now >= _agedAt)
        {
            Begin(DepartureReason.MaxAge, TimeSpan.Zero);
        }

        CloseIfDue(now);
    }

    private static long InTicks(TimeProvider clock, TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    private void CloseIfDue(long now)
    {
        lock (follower.Gate)
        {
            if (_reason is not { } reason)
            {
                return;
            }

            if (follower.Request.Profile == WireProfile.Basic)
            {
                if (now >= _leaveAt && !follower.Profile.HasOwnOpen)
                {
                    follower.BeginClose(CloseCodes.ServiceRestart, reason.CloseReason, null, dropWaiting: false);
                }
            }
            else if (now >= _closeAt)
            {
                follower.BeginClose(reason.CloseCode, reason.CloseReason, null, dropWaiting: false);
            }
        }

        follower.Flush();
    }
}
