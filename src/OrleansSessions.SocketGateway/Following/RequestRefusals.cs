using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Sends refusals to a client, and audits them. Too many of a kind in a row close its connection.</summary>
internal sealed class RequestRefusals(Follower follower)
{
    private StrikeCounter _bad;
    private StrikeCounter _busy;
    private StrikeCounter _rate;

    private FollowerServices Services => follower.Services;

    /// <summary>Sends an error, and closes the connection if the error table says so.</summary>
    public void Tell(ErrorMessage error)
    {
        if (error.Error.CloseCode is not { } code)
        {
            Send(error);
            return;
        }

        Audit(error);
        follower.Close(code, error.Message, error, dropWaiting: false);
    }

    /// <summary>Refuses a token that was sent in a message. The earlier token stays in force, so the connection stays open, whatever the error is.</summary>
    public void TellToken(ErrorMessage refusal)
    {
        Send(refusal);
        if (refusal.Error != WireErrors.Internal)
        {
            StrikeBad();
        }
    }

    /// <summary>Refuses an invalid message.</summary>
    public void TellBad(ErrorMessage refusal)
    {
        Tell(refusal);
        StrikeBad();
    }

    /// <summary>Refuses a message that exceeds the rate of its socket. Nothing of it was read.</summary>
    public void TellTooMany(TimeSpan wait)
    {
        Services.Metrics.LimitReached(LimitNames.Messages);
        Tell(Refusals.RateLimited($"A socket sends at most {Services.Options.MaxMessagesPerMinute} messages in a minute.", wait));
        if (_rate.Hit(Services.Clock, Services.Options.MaxBadRequests, Services.Options.StrikeWindow))
        {
            follower.Close(CloseCodes.RateLimited, "The client goes on sending more messages than it may.", null, dropWaiting: false);
        }
    }

    public void StrikeBad()
    {
        if (_bad.Hit(Services.Clock, Services.Options.MaxBadRequests, Services.Options.StrikeWindow))
        {
            follower.Close(CloseCodes.BadProtocol, "Too many messages in a row were invalid.", null, dropWaiting: false);
        }
    }

    public void StrikeBusy()
    {
        if (_busy.Hit(Services.Clock, Services.Options.MaxBusyRefusals, Services.Options.StrikeWindow))
        {
            follower.Close(CloseCodes.RateLimited, "Too many questions in a row were asked while they were refused.", null, dropWaiting: false);
        }
    }

    public void ForgiveBad() => _bad.Forgive();

    public void ForgiveBusy() => _busy.Forgive();

    private void Send(ErrorMessage error)
    {
        Audit(error);
        Services.Metrics.ErrorTold(error.Error.Code);
        lock (follower.Gate)
        {
            follower.Writer.Enqueue(error);
        }

        follower.Flush();
    }

    private void Audit(ErrorMessage error) => Services.Guards.Audit(
        $"message on a socket of session {follower.Request.SessionId}", follower.Token.Access, follower.Request.From, error);
}
