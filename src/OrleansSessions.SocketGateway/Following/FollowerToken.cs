using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>What the client of a follower may do, and for how long its token says so.</summary>
internal sealed class FollowerToken(Follower follower)
{
    private TokenLife _life = TokenLife.Of(follower.Request.Access.Caller, follower.Services.Clock);
    private bool _hasAnnouncedEnd;

    /// <summary>What the client may do, by its latest token.</summary>
    public SessionAccess Access { get; private set; } = follower.Request.Access;

    /// <inheritdoc cref="TokenLife.LeftMs"/>
    public long? ExpiresInMs => _life.LeftMs;

    /// <summary>Uses a fresh token from now on, and tells the client. Requires the gate.</summary>
    public void Renew(SessionAccess access)
    {
        follower.Gate.AssertHeld();
        Access = access;
        _life = TokenLife.Of(access.Caller, follower.Services.Clock);
        _hasAnnouncedEnd = false;
        follower.Writer.Enqueue(new AuthenticatedMessage(_life.LeftMs));
    }

    /// <summary>Tells the client when its token is about to expire, and closes the follower when it has. Call it about once per second.</summary>
    public void Check()
    {
        if (_life.Left is not { } left || left > TokenLife.Notice)
        {
            return;
        }

        // Basic clients are sent nothing unasked but the close.
        var isV1 = follower.Request.Profile == WireProfile.V1;
        if (left == TimeSpan.Zero)
        {
            follower.Close(CloseCodes.TokenExpired, "The token has expired.", isV1 ? Refusals.TokenExpired() : null, dropWaiting: false);
        }
        else if (isV1 && !_hasAnnouncedEnd)
        {
            lock (follower.Gate)
            {
                _hasAnnouncedEnd = true;
                follower.Writer.Enqueue(new ExpiringMessage((long)left.TotalMilliseconds));
            }

            follower.Flush();
        }
    }
}
