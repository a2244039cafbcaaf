using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Limits;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>What stands between a caller that was let in and the sessions: fresh tokens, and how much the caller may use.</summary>
internal sealed class CallerGuards(TokenRenewal renewal, AskRates asks, SocketPlaces places, RequestRates requests, AuditLog audit)
{
    public TokenRenewal Renewal { get; } = renewal;

    public AskRates Asks { get; } = asks;

    /// <summary>Counts an HTTP request. Back ends that answer or administer serve many callers, so theirs are not limited.</summary>
    public ErrorMessage? CountRequest(HttpContext context)
    {
        var caller = SessionAccess.Of(context).Caller;
        return (caller.Rights & (SessionRights.Answer | SessionRights.Administer)) != SessionRights.None ? null : Audit(context, requests.Take(caller.Scope));
    }

    /// <summary>Takes a place for a socket or an event stream. Returns null if there was one; then return it with <see cref="ReleasePlace"/>.</summary>
    public async ValueTask<ErrorMessage?> TakePlaceAsync(HttpContext context) => Audit(context, await places.TakeAsync(SessionAccess.Of(context).Scope));

    public void ReleasePlace(SessionAccess access) => places.Release(access.Scope);

    private ErrorMessage? Audit(HttpContext context, ErrorMessage? refusal)
    {
        if (refusal is not null)
        {
            audit.Refused(context, SessionAccess.Of(context).Caller, refusal);
        }

        return refusal;
    }
}
