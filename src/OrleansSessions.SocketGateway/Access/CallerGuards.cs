using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Limits;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>What stands between a caller that was let in and the sessions: fresh tokens, and how much the caller may use. Refusals are audited.</summary>
internal sealed class CallerGuards(CallerPolicy callers, AskRates asks, SocketPlaces places, RequestRates requests, AuditLog audit)
{
    public AskRates Asks { get; } = asks;

    /// <summary>Takes a fresh token for an access that was granted before, or returns the reason why not.</summary>
    public Task<(SessionAccess? Access, ErrorMessage? Refusal)> RenewAsync(SessionAccess current, string token) => callers.RenewAsync(current, token);

    /// <summary>Counts an HTTP request. Back ends that answer or administer serve many callers, so theirs are not limited.</summary>
    public ErrorMessage? CountRequest(HttpContext context)
    {
        var caller = SessionAccess.Of(context).Caller;
        return (caller.Rights & (SessionRights.Answer | SessionRights.Administer)) != SessionRights.None ? null : Audit(context, requests.Take(caller.Scope));
    }

    /// <summary>
    /// Takes a place for a socket or an event stream. Returns null if there was one; then return it with <see cref="ReleasePlace"/>. It counts for the caller
    /// itself, whichever scope it named: whoever follows the sessions of others must not use up their places.
    /// </summary>
    public async ValueTask<ErrorMessage?> TakePlaceAsync(HttpContext context) => Audit(context, await places.TakeAsync(SessionAccess.Of(context).Caller.Scope));

    public void ReleasePlace(SessionAccess access) => places.Release(access.Caller.Scope);

    /// <summary>Audits the refusal of a request that was let in, if it is because of the caller or its limits. Returns the refusal.</summary>
    public ErrorMessage? Audit(HttpContext context, ErrorMessage? refusal)
    {
        if (refusal is not null && AuditLog.Concerns(refusal))
        {
            audit.Refused(context, SessionAccess.Of(context).Caller, refusal);
        }

        return refusal;
    }

    /// <summary>Audits the refusal of a message, if it is because of the caller or its limits.</summary>
    /// <param name="action">What was refused, without any text of the client.</param>
    /// <param name="from">The client's address, as <see cref="AuditLog.From"/> returned it.</param>
    public void Audit(string action, SessionAccess access, string from, ErrorMessage refusal)
    {
        if (AuditLog.Concerns(refusal))
        {
            audit.Refused(action, AuditLog.NameOf(access.Caller), from, refusal.Error.Code);
        }
    }
}
