using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Decides in which scope a request acts and whether it may do what it wants there. The same policy applies to sockets and HTTP.</summary>
internal sealed class CallerPolicy(CallerReader callers)
{
    /// <summary>The query parameter with which a caller names a scope.</summary>
    public const string ScopeParameter = "scope";

    /// <summary>Lets the request in, or returns the reason why not.</summary>
    /// <param name="needed">What the endpoint does.</param>
    public async ValueTask<(SessionAccess? Access, ErrorMessage? Refusal)> AdmitAsync(HttpContext context, SessionRights needed)
    {
        var (caller, refusal) = await callers.ReadAsync(context);
        if (caller is null)
        {
            return (null, refusal);
        }

        (var access, refusal) = Choose(context.Request.Query, caller);
        return access is null || access.Allows(needed) ? (access, refusal) : (access, Refusals.PermissionDenied(NameOf(needed)));
    }

    /// <summary>Takes a fresh token for an access that was granted before.</summary>
    public async Task<(SessionAccess? Access, ErrorMessage? Refusal)> RenewAsync(SessionAccess current, string token)
    {
        var (caller, refusal) = await callers.ReadTokenAsync(token, current.Caller.Scheme);
        if (caller is null)
        {
            return (null, refusal);
        }

        if (!caller.IsSameCaller(current.Caller))
        {
            return (null, new(WireErrors.Forbidden, "The token is that of another caller. Open another socket with it."));
        }

        if (!current.IsForeign)
        {
            return (SessionAccess.Own(caller), null);
        }

        var rights = RightsInAnyScope(caller);
        return rights == SessionRights.None
            ? (null, new(WireErrors.Forbidden, "The token lacks the permission for the scope of this socket."))
            : (current with { Caller = caller, Rights = rights }, null);
    }

    private static (SessionAccess? Access, ErrorMessage? Refusal) Choose(IQueryCollection query, CallerIdentity caller)
    {
        var named = query[ScopeParameter];
        if (named.Count == 0)
        {
            return (SessionAccess.Own(caller), null);
        }

        var rights = RightsInAnyScope(caller);
        if (rights == SessionRights.None)
        {
            return (null, new(WireErrors.Forbidden, $"Only callers with {Permissions.Answer} or {Permissions.Admin} name a scope.", Param: ScopeParameter));
        }

        return named is [{ } scope] && SessionScope.IsValid(scope)
            ? (new(caller, scope, scope == caller.Scope ? caller.Rights | rights : rights), null)
            : (null, new(
                WireErrors.BadRequest, "'scope' must be one scope, as GET /v1/sessions returns it, or empty for the anonymous one.", Param: ScopeParameter));
    }

    private static SessionRights RightsInAnyScope(CallerIdentity caller)
    {
        var rights = caller.Rights.HasFlag(SessionRights.Answer) ? SessionRights.Follow | SessionRights.Answer : SessionRights.None;
        return caller.Rights.HasFlag(SessionRights.Administer)
            ? rights | SessionRights.Follow | SessionRights.Ask | SessionRights.Remove | SessionRights.Administer
            : rights;
    }

    private static string NameOf(SessionRights needed) => needed == SessionRights.Answer ? Permissions.Answer : Permissions.Admin;
}
