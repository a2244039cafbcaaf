using Microsoft.AspNetCore.Http;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>In which scope a request acts, and what it may do there. Without one, no session can be reached, so no endpoint can forget to check.</summary>
/// <param name="Scope">The caller's own scope, or the one that it named with <c>?scope=</c>.</param>
internal sealed record SessionAccess(CallerIdentity Caller, string Scope, SessionRights Rights)
{
    /// <summary>A caller in its own scope.</summary>
    public static SessionAccess Own(CallerIdentity caller) => new(caller, caller.Scope, caller.Rights);

    /// <summary>True if the caller acts in another scope than its own.</summary>
    public bool IsForeign => Scope != Caller.Scope;

    public bool Allows(SessionRights needed) => (Rights & needed) == needed;

    /// <summary>The access of an administrator to a scope, or null if the caller is none.</summary>
    public SessionAccess? Administer(string scope) => Allows(SessionRights.Administer) ? this with { Scope = scope } : null;

    public string KeyOf(string sessionId) => SessionKey.Of(Scope, sessionId);

    /// <summary>What a grain learns of the caller, or null if there is nothing to say.</summary>
    /// <param name="traceParent">The trace of the request, or null.</param>
    public Caller? ToCaller(string? traceParent) => Caller.IsAnonymous && traceParent is null ? null : new()
    {
        Scope = Caller.Scope,
        Subject = Caller.Subject,
        Permissions = Caller.Permissions,
        TraceParent = traceParent,
    };

    /// <summary>Keeps the access with its request.</summary>
    public void Attach(HttpContext context) => context.Features.Set(this);

    /// <exception cref="InvalidOperationException">No policy has let the request in.</exception>
    public static SessionAccess Of(HttpContext context) =>
        context.Features.Get<SessionAccess>() ?? throw new InvalidOperationException("The request reached a session without passing the access policy.");
}
