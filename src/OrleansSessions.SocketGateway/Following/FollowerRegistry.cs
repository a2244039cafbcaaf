using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>How many connections of a session there are, and which change made it so; grains ignore counts older than the last they saw.</summary>
/// <param name="IsAsleep">True if the session's grain sleeps: it knows no socket gateway, and a call only to report a count would wake it.</param>
internal readonly record struct ConnectionCount(int Connections, long Version, bool IsAsleep = false);

/// <summary>All sockets of this process by session key. Lookups take no lock; changes take one, for they are few.</summary>
internal sealed class FollowerRegistry
{
    private readonly ConcurrentDictionary<string, FollowedSession> _sessions = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();
    private long _version;
    private int _reserved;

    /// <summary>All sessions held. Enumerating takes no lock and copies nothing; sessions that come or go meanwhile may be left out.</summary>
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

    /// <summary>Takes a place for a socket, if there is one under <paramref name="limit"/>. Give it back with <see cref="Release"/>.</summary>
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

    /// <summary>The count to report to a grain now, which that call wakes; zero, as a change of its own, for a session that is not held.</summary>
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

    /// <summary>A call of this socket gateway has woken the session, and no item may come to show it.</summary>
    public void NoteAwake(string sessionKey)
    {
        if (_sessions.TryGetValue(sessionKey, out var session))
        {
            session.IsAsleep = false;
        }
    }
}
