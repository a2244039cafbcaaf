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
/// told, so it is closed once it has nothing open.
/// </summary>
internal sealed class FollowerDeparture(Follower follower)
{
    private DepartureReason _reason;
    private long? _closeAt;

    /// <summary>Asks the client to come back after the delay. Only the first call counts.</summary>
    public void Begin(DepartureReason reason, TimeSpan delay)
    {
        lock (follower.Gate)
        {
            if (_closeAt is not null || follower.IsClosing || !follower.IsAttached || follower.Grace is not { } grace)
            {
                return;
            }

            var clock = follower.Services.Clock;
            _reason = reason;
            _closeAt = clock.GetTimestamp() + (long)((delay + grace).TotalSeconds * clock.TimestampFrequency);
            if (follower.Request.Profile == WireProfile.V1)
            {
                follower.Writer.Enqueue(new ReconnectMessage(reason.Name, (long)delay.TotalMilliseconds));
            }
        }

        follower.Flush();
        Check(follower.Services.Clock.GetTimestamp());
    }

    /// <summary>Closes the follower when its client has had enough time, or at once if nobody would miss anything. Call it about once per second.</summary>
    public void Check(long now)
    {
        lock (follower.Gate)
        {
            if (_closeAt is not { } closeAt)
            {
                return;
            }

            if (follower.Request.Profile == WireProfile.Basic)
            {
                if (!follower.Profile.HasOwnOpen)
                {
                    follower.BeginClose(CloseCodes.ServiceRestart, _reason.CloseReason, null, dropWaiting: false);
                }
            }
            else if (now >= closeAt)
            {
                follower.BeginClose(_reason.CloseCode, _reason.CloseReason, null, dropWaiting: false);
            }
        }

        follower.Flush();
    }
}
