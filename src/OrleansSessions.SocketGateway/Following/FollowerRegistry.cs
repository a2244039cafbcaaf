using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The number of a session's connections, and the number of the change that led to it. Grains ignore counts older than the last one.</summary>
/// <param name="IsAsleep">True if the session's grain sleeps. It knows no socket gateways then, and a call that only reports a count would wake it.</param>
internal readonly record struct ConnectionCount(int Connections, long Version, bool IsAsleep = false);

/// <summary>All followers of this process by session key. Lookups take no lock. Changes take one, because they are rare.</summary>
internal sealed class FollowerRegistry
{
    private readonly ConcurrentDictionary<string, FollowedSession> _sessions = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();
    private long _version;
    private int _reserved;

    /// <summary>
    /// All sessions with followers. The enumeration takes no lock and copies nothing; it can miss sessions that are added or removed at the same time.
    /// </summary>
    public IEnumerable<FollowedSession> Sessions
    {
        get
        {
            foreach (var (_, session) in _sessions)
            {
                yield return session;
            }
        }
    }

    /// <summary>Takes a place for a connection if fewer than <paramref name="limit"/> are taken. Return it with <see cref="Release"/>.</summary>
    public bool TryReserve(int limit)
    {
        if (Interlocked.Increment(ref _reserved) <= limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _reserved);
        return false;
    }

    public void Release() => Interlocked.Decrement(ref _reserved);

    public bool TryFind(string sessionKey, [NotNullWhen(true)] out FollowedSession? session) => _sessions.TryGetValue(sessionKey, out session);

    /// <summary>Closes all connections, because this process leaves.</summary>
    /// <param name="isEvicted">True if the cluster no longer lists it.</param>
    public void CloseAll(bool isEvicted)
    {
        foreach (var connection in Sessions.SelectMany(session => session.All))
        {
            connection.CloseLeaving(isEvicted);
        }
    }

    public ConnectionCount Add(string sessionKey, IFollower connection, long now)
    {
        lock (_changing)
        {
            var session = _sessions.GetOrAdd(sessionKey, static key => new FollowedSession(key));
            session.LastHeardAt = now;
            session.IsAsleep = false;
            session.Set([.. session.All, connection], ++_version);
            return new(session.All.Length, session.Version);
        }
    }

    public ConnectionCount Remove(string sessionKey, IFollower connection)
    {
        lock (_changing)
        {
            if (!_sessions.TryGetValue(sessionKey, out var session))
            {
                return new(0, ++_version);
            }

            session.Set([.. session.All.Where(other => other != connection)], ++_version);
            if (session.All.Length == 0)
            {
                _sessions.TryRemove(sessionKey, out _);
            }

            return new(session.All.Length, session.Version, session.IsAsleep);
        }
    }

    /// <summary>The count to report to a grain now; that call wakes the session. A session without followers returns zero as a change of its own.</summary>
    public ConnectionCount Count(string sessionKey)
    {
        lock (_changing)
        {
            if (!_sessions.TryGetValue(sessionKey, out var session))
            {
                return new(0, ++_version);
            }

            session.IsAsleep = false;
            return new(session.All.Length, session.Version);
        }
    }

    /// <summary>Notes that a call from this socket gateway has woken the session, because no item may follow that shows it.</summary>
    public void NoteAwake(string sessionKey)
    {
        if (_sessions.TryGetValue(sessionKey, out var session))
        {
            session.IsAsleep = false;
        }
    }
}
