using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>The rules of one scope's index: which sessions have a place, and in which order they are listed. Plain state.</summary>
/// <param name="maxSessions">The maximum number of entries.</param>
/// <param name="retention">After this time without a use of its session, an entry gives way to a new one.</param>
internal sealed class ScopeIndex(int maxSessions, TimeSpan retention)
{
    /// <summary>How long a removal is remembered. Questions from before it can be noted late, and must not bring the entry back.</summary>
    public static readonly TimeSpan RemovalMemory = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, ListedSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _removed = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

    /// <summary>The number of changes so far.</summary>
    public long Changes { get; private set; }

    public IEnumerable<ListedSession> All => _sessions.Values;

    /// <summary>Takes the entries of an earlier activation.</summary>
    public void Load(IEnumerable<ListedSession> sessions)
    {
        foreach (var session in sessions)
        {
            _sessions[session.SessionId] = session;
        }
    }

    /// <summary>Gives a session its place. False if there is none.</summary>
    public bool TryAdd(ListedSession session, DateTimeOffset now)
    {
        if (!_sessions.ContainsKey(session.SessionId) && !HasRoom(now))
        {
            return false;
        }

        _removed.Remove(session.SessionId);
        Set(session);
        return true;
    }

    /// <summary>Notes a later question or use. An entry that is missing is added again if there is room, but not if it was removed after that use.</summary>
    public void Touch(ListedSession session, DateTimeOffset now)
    {
        if (_sessions.TryGetValue(session.SessionId, out var known))
        {
            Set(Later(known, session));
        }
        else if (!(_removed.TryGetValue(session.SessionId, out var at) && session.LastUse <= at) && HasRoom(now))
        {
            Set(session);
        }
    }

    /// <summary>Removes entries, unless the request names other times than theirs.</summary>
    public void Remove(RemoveSessionsRequest request, DateTimeOffset now)
    {
        foreach (var (sessionId, at) in _removed)
        {
            if (now - at > RemovalMemory)
            {
                _removed.Remove(sessionId);
            }
        }

        for (var i = 0; i < request.SessionIds.Length; i++)
        {
            var sessionId = request.SessionIds[i];
            if (request.ListedAt is { } times && _sessions.TryGetValue(sessionId, out var known) && times[i] != known.UpdatedAt)
            {
                continue;
            }

            Drop(sessionId);
            _removed[sessionId] = now;
        }
    }

    /// <summary>Drops the entries of sessions that were not used for the retention.</summary>
    /// <returns>The time until the last of the others is as old; zero if there are none.</returns>
    public TimeSpan DropUnused(DateTimeOffset now)
    {
        var longest = TimeSpan.Zero;
        foreach (var (sessionId, session) in _sessions)
        {
            // A time that another silo took can be ahead.
            var unusedFor = now > session.LastUse ? now - session.LastUse : TimeSpan.Zero;
            if (unusedFor > retention)
            {
                Drop(sessionId);
            }
            else if (retention - unusedFor > longest)
            {
                longest = retention - unusedFor;
            }
        }

        return longest;
    }

    /// <summary>The latest first; those of the same time in the order of their ids.</summary>
    public SessionList List(ListSessionsRequest request)
    {
        var rest = _sessions.Values
            .OrderByDescending(session => session.UpdatedAt).ThenBy(session => session.SessionId, StringComparer.Ordinal)
            .Where(session => IsAfter(session, request)).Take(Math.Max(1, request.Limit) + 1).ToList();
        return new() { Sessions = [.. rest.Take(request.Limit)], HasMore = rest.Count > request.Limit };
    }

    private static bool IsAfter(ListedSession session, ListSessionsRequest request) =>
        request.AfterUpdatedAt is not { } after || session.UpdatedAt < after
        || (session.UpdatedAt == after && string.CompareOrdinal(session.SessionId, request.AfterSessionId) > 0);

    /// <summary>What is known of the later question, and the later use.</summary>
    private static ListedSession Later(ListedSession known, ListedSession session)
    {
        // Of two questions of the same instant, the one that is reported later was asked later.
        var later = session.UpdatedAt >= known.UpdatedAt ? session : known;
        return later with { UsedAt = known.UsedAt > session.UsedAt ? known.UsedAt : session.UsedAt ?? known.UsedAt };
    }

    private bool HasRoom(DateTimeOffset now)
    {
        if (_sessions.Count >= maxSessions)
        {
            DropUnused(now);
        }

        return _sessions.Count < maxSessions;
    }

    private void Set(ListedSession session)
    {
        if (!_sessions.TryGetValue(session.SessionId, out var known) || known != session)
        {
            _sessions[session.SessionId] = session;
            Changes++;
        }
    }

    private void Drop(string sessionId)
    {
        if (_sessions.Remove(sessionId))
        {
            Changes++;
        }
    }
}
