using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>The rules of one scope's index: which sessions have a place, and in which order they are listed. Plain state.</summary>
/// <param name="maxSessions">The maximum number of entries.</param>
/// <param name="retention">After this time without a question, an entry gives way to a new one.</param>
internal sealed class ScopeIndex(int maxSessions, TimeSpan retention)
{
    /// <summary>How long a removal is remembered. Questions from before it can be noted late, and must not bring the entry back.</summary>
    public static readonly TimeSpan RemovalMemory = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, ListedSession> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _removed = new(StringComparer.Ordinal);

    public int Count => _sessions.Count;

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
        _sessions[session.SessionId] = session;
        return true;
    }

    /// <summary>Notes a later question. An entry that is missing, for example after a crash, is added again if there is room.</summary>
    /// <returns>True if something has changed.</returns>
    public bool Touch(ListedSession session, DateTimeOffset now)
    {
        var isKnown = _sessions.TryGetValue(session.SessionId, out var known);
        var isOld = isKnown ? session.UpdatedAt <= known!.UpdatedAt : _removed.TryGetValue(session.SessionId, out var at) && session.UpdatedAt <= at;
        if (isOld || (!isKnown && !HasRoom(now)))
        {
            return false;
        }

        _sessions[session.SessionId] = session;
        return true;
    }

    /// <summary>Removes entries. True if there were any.</summary>
    public bool Remove(IEnumerable<string> sessionIds, DateTimeOffset now)
    {
        foreach (var (sessionId, at) in _removed)
        {
            if (now - at > RemovalMemory)
            {
                _removed.Remove(sessionId);
            }
        }

        var hasChanged = false;
        foreach (var sessionId in sessionIds)
        {
            hasChanged |= _sessions.Remove(sessionId);
            _removed[sessionId] = now;
        }

        return hasChanged;
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

    private bool HasRoom(DateTimeOffset now)
    {
        if (_sessions.Count >= maxSessions)
        {
            foreach (var (sessionId, session) in _sessions)
            {
                if (now - session.UpdatedAt > retention)
                {
                    _sessions.Remove(sessionId);
                }
            }
        }

        return _sessions.Count < maxSessions;
    }
}
