using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>Lists and erases the sessions of a scope.</summary>
internal static class ScopeEndpoints
{
    private const int ErasePage = 100;

    // Removing a session is a few grain calls and a write, and other callers are served meanwhile.
    private const int MaxRemovals = 8;

    // More than any index has pages. A scope in which sessions are asked as fast as they are removed would never be empty.
    private const int MaxRounds = 200;

    public static Task<IResult> ListAsync(string? after, string? limit, HttpContext context, SessionHttp http)
    {
        var scope = SessionAccess.Of(context).Scope;
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
            var gone = await DropForgottenAsync(http, scope, page.Sessions);
            return SessionHttp.Json(new SessionListBody(
                scope,
                [.. page.Sessions.Where(session => !gone.Contains(session.SessionId)).Select(ListedSessionBody.From)],
                page.HasMore ? SessionCursor.Of(page.Sessions[^1]).ToString() : null));
        });
    }

    /// <summary>Returns the same, whether or not there was something to erase.</summary>
    public static Task<IResult> EraseAsync(string scope, HttpContext context, SessionHttp http, AuditLog audit) =>
        http.RunAsync(context, scope, null, () => EraseAsync(scope, context, http, http.Grains.IndexOf(scope), audit));

    private static async Task<IResult> EraseAsync(string scope, HttpContext context, SessionHttp http, IScopeIndexGrain index, AuditLog audit)
    {
        if (!SessionScope.IsValid(scope))
        {
            return http.Refuse(new(WireErrors.BadRequest, "The address must end in one scope, as GET /v1/sessions returns it.", Param: "scope"));
        }

        // Sessions can be asked for the first time meanwhile, so this goes on until there are none.
        var removed = 0;
        for (var round = 0; round < MaxRounds; round++)
        {
            var page = await index.ListAsync(new() { Limit = ErasePage });
            if (page.Sessions.Length == 0)
            {
                await index.EraseAsync(new());
                audit.Erased(context, SessionAccess.Of(context), scope, removed);
                return TypedResults.NoContent();
            }

            await Parallel.ForEachAsync(page.Sessions, Bounded(context), async (session, _) => await SessionOf(http, scope, session).RemoveAsync(new()));

            // A session that was gone already has not removed its entry.
            await index.RemoveAsync(new() { SessionIds = [.. page.Sessions.Select(session => session.SessionId)] });
            removed += page.Sessions.Length;
        }

        return http.Refuse(new(
            WireErrors.Internal, $"{removed} sessions were removed, but new ones were asked as fast. Stop the callers of the scope, and repeat the request.",
            RetryAfterMs: http.Limits.RetryAfterMs));
    }

    /// <summary>The index does not notice when a session is forgotten, so entries that are old enough are looked up.</summary>
    /// <returns>The ids of the sessions that are gone. Their entries were removed.</returns>
    private static async Task<HashSet<string>> DropForgottenAsync(SessionHttp http, string scope, ListedSession[] sessions)
    {
        var oldest = http.Clock.GetUtcNow() - http.Limits.Sessions.Retention;
        var lookups = sessions.Where(session => session.UpdatedAt < oldest)
            .Select(async session => (session.SessionId, IsGone: await SessionOf(http, scope, session).DescribeAsync(new() { IsGlance = true }) is null));
        var gone = (await Task.WhenAll(lookups)).Where(lookup => lookup.IsGone).Select(lookup => lookup.SessionId).ToHashSet(StringComparer.Ordinal);
        if (gone.Count > 0)
        {
            await http.Grains.IndexOf(scope).RemoveAsync(new() { SessionIds = [.. gone] });
        }

        return gone;
    }

    private static ISessionGrain SessionOf(SessionHttp http, string scope, ListedSession session) => http.Grains.Get(SessionKey.Of(scope, session.SessionId));

    private static ParallelOptions Bounded(HttpContext context) => new() { MaxDegreeOfParallelism = MaxRemovals, CancellationToken = context.RequestAborted };
}
