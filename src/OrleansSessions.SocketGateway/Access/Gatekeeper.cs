using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Where every request enters, over sockets and HTTP: first from where it comes, then who sent it and what it may do. Refusals are audited.</summary>
internal sealed class Gatekeeper(AccessPolicy places, CallerPolicy callers, AuditLog audit)
{
    /// <summary>Refuses requests from pages and for hosts that this server does not know.</summary>
    public ErrorMessage? FindRefusal(HttpContext context, out RequestOrigin origin) => Audit(context, null, places.FindRefusal(context, out origin));

    /// <summary>Lets a caller in and keeps its access with the request, or returns the reason why not.</summary>
    /// <param name="needed">What the endpoint does.</param>
    public async ValueTask<ErrorMessage?> AdmitAsync(HttpContext context, SessionRights needed)
    {
        var (access, refusal) = await callers.AdmitAsync(context, needed);
        if (refusal is not null)
        {
            return Audit(context, access?.Caller, refusal);
        }

        access!.Attach(context);
        if (access.IsForeign)
        {
            audit.ActedElsewhere(context, access);
        }

        return null;
    }

    private ErrorMessage? Audit(HttpContext context, CallerIdentity? caller, ErrorMessage? refusal)
    {
        if (refusal is not null)
        {
            audit.Refused(context, caller, refusal);
        }

        return refusal;
    }
}
