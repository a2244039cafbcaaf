using Microsoft.Extensions.Logging;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Frames;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>What the client of a follower may do, and for how long its token says so.</summary>
internal sealed partial class FollowerToken(Follower follower)
{
    // Read and written by the client's messages and by the timer, so only under the gate.
    private TokenLife _life = TokenLife.Of(follower.Request.Access.Caller, follower.Services.Clock);
    private bool _hasAnnouncedEnd;

    /// <summary>What the client may do, by its latest token.</summary>
    public SessionAccess Access { get; private set; } = follower.Request.Access;

    /// <summary>The time that is left, at least zero, or null if the token does not expire. Requires the gate.</summary>
    public long? ExpiresInMs
    {
        get
        {
            follower.Gate.AssertHeld();
            return _life.LeftMs;
        }
    }

    /// <summary>Takes a fresh token from the client, and tells it so.</summary>
    /// <returns>The refusal, or null. After a refusal, the earlier token stays in force.</returns>
    public async Task<ErrorMessage?> RenewAsync(string token)
    {
        var (access, refusal) = await ReadAsync(token);
        if (access is null)
        {
            return refusal! with { Param = "token" };
        }

        lock (follower.Gate)
        {
            Access = access;
            _life = TokenLife.Of(access.Caller, follower.Services.Clock);
            _hasAnnouncedEnd = false;
            follower.Writer.Enqueue(new AuthenticatedMessage(_life.LeftMs));
        }

        follower.Flush();
        return null;
    }

    /// <summary>Tells the client when its token is about to expire, and closes the follower when it has. Call it about once per second.</summary>
    public void Check()
    {
        lock (follower.Gate)
        {
            if (_life.Left is not { } left || left > TokenLife.Notice)
            {
                return;
            }

            // Basic clients are sent nothing unasked but the close.
            var isV1 = follower.Request.Profile == WireProfile.V1;
            if (left == TimeSpan.Zero)
            {
                follower.BeginClose(CloseCodes.TokenExpired, "The token has expired.", isV1 ? Refusals.TokenExpired() : null, dropWaiting: false);
            }
            else if (isV1 && !_hasAnnouncedEnd)
            {
                _hasAnnouncedEnd = true;
                follower.Writer.Enqueue(new ExpiringMessage((long)left.TotalMilliseconds));
            }
            else
            {
                return;
            }
        }

        follower.Flush();
    }

    private async Task<(SessionAccess? Access, ErrorMessage? Refusal)> ReadAsync(string token)
    {
        try
        {
            return await follower.Services.Guards.RenewAsync(Access, token);
        }
        catch (Exception fault)
        {
            // A scheme of the host can fail in any way.
            LogMessages.NotChecked(follower.Services.Logger, fault, follower.Id, follower.Request.SessionId);
            return (null, CallerReader.CannotCheck);
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Error, "The token that connection {Connection} of session {Session} sent could not be checked.")]
        public static partial void NotChecked(ILogger logger, Exception fault, string connection, string session);
    }
}
