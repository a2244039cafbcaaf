using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Lists and erases the sessions of a scope.</summary>
internal static class ScopeEndpoints
{
    public static Task<IResult> ListAsync(string? after, string? limit, HttpContext context, SessionHttp http)
    {
        var access = SessionAccess.Of(context);
        var scope = access.Scope;
        return http.RunAsync(context, scope, null, async () =>
        {
            if (scope == SessionScope.Anonymous)
            {
                return http.Refuse(new(WireErrors.NotFound, "The anonymous scope has no list of its sessions, because strangers share it."));
            }

            if (PageLimit.Read(limit, out var count) is { } refusal)
            {
                return http.Refuse(refusal);
            }

            SessionCursor? cursor = null;
            if (after is not null && !SessionCursor.TryRead(after, out cursor))
            {
                return http.Refuse(new(WireErrors.BadRequest, "'after' must be the 'next' of an earlier page.", Param: "after"));
            }

            var page = await http.Grains.IndexOf(scope).ListAsync(
                new() { Limit = count, AfterUpdatedAt = cursor?.UpdatedAt, AfterSessionId = cursor?.SessionId });
            var gone = await DropForgottenAsync(http, access, page.Sessions);
            return SessionHttp.Json(new SessionListBody(
                scope,
                [.. page.Sessions.Where(session => !gone.Contains(session.SessionId)).Select(ListedSessionBody.From)],
                page.HasMore ? SessionCursor.Of(page.Sessions[^1]).ToString() : null));
        });
    }

    /// <summary>Returns the same, whether or not there was something to erase.</summary>
    public static Task<IResult> EraseAsync(string scope, HttpContext context, SessionHttp http, AuditLog audit)
    {
        if (SessionAccess.Of(context).Administer(scope) is not { } access)
        {
            return Task.FromResult(http.RefuseCaller(context, Refusals.PermissionDenied(Permissions.Admin)));
        }

        // The anonymous scope is empty, and has no address.
        return !SessionScope.IsValid(scope)
            ? Task.FromResult(http.Refuse(new(WireErrors.BadRequest, "The address must end in one scope, as GET /v1/sessions returns it.", Param: "scope")))
            : http.RunAsync(context, scope, null, async () =>
            {
                var erasure = new Erasure(http, access, context.RequestAborted);
                try
                {
                    return await erasure.RunAsync()
                        ? TypedResults.NoContent()
                        : http.Refuse(new(
                            WireErrors.Internal,
                            $"{erasure.Removed} sessions were removed, but new ones were asked as fast. Stop the callers of the scope, and repeat the request.",
                            RetryAfterMs: http.Limits.RetryAfterMs));
                }
                finally
                {
                    audit.Erased(context, access, erasure.Removed, erasure.IsComplete);
                }
            });
    }

    /// <summary>The index does not notice when a session is forgotten, so entries that are old enough are looked up.</summary>
    /// <returns>The ids of the sessions that are gone. Their entries were removed.</returns>
    private static async Task<HashSet<string>> DropForgottenAsync(SessionHttp http, SessionAccess access, ListedSession[] sessions)
    {
        var oldest = http.Clock.GetUtcNow() - http.Limits.Sessions.Retention;
        var lookups = sessions.Where(session => session.UpdatedAt < oldest)
            .Select(async session => (Session: session, IsGone: await http.Grains.Get(access.KeyOf(session.SessionId)).DescribeAsync(new() { IsGlance = true }) is null));
        var gone = (await Task.WhenAll(lookups)).Where(lookup => lookup.IsGone).Select(lookup => lookup.Session).ToList();
        if (gone.Count > 0)
        {
            await http.Grains.IndexOf(access.Scope).RemoveAsync(RemoveSessionsRequest.For(gone));
        }

        return gone.Select(session => session.SessionId).ToHashSet(StringComparer.Ordinal);
    }
}
