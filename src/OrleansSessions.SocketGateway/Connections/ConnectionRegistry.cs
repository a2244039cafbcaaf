using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace OrleansSessions.SocketGateway.Connections;

/// <summary>How many connections of a session there are, and which change made it so; grains ignore counts older than the last they saw.</summary>
internal readonly record struct ConnectionCount(int Connections, long Version);

/// <summary>All sockets of this process by session key. Lookups take no lock; changes take one, for they are few.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<string, SessionConnections> _sessions = new(StringComparer.Ordinal);
    private readonly Lock _changing = new();
    private long _version;
    private int _reserved;

    public IEnumerable<SessionConnections> Sessions => _sessions.Values;

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

    public bool TryFind(string sessionKey, [NotNullWhen(true)] out SessionConnections? session) => _sessions.TryGetValue(sessionKey, out session);

    public ConnectionCount Add(string sessionKey, ISessionConnection connection, long now)
    {
        lock (_changing)
        {
            var session = _sessions.GetOrAdd(sessionKey, static key => new SessionConnections(key));
            session.LastHeardAt = now;
            session.Set([.. session.All, connection], ++_version);
            return new(session.All.Length, session.Version);
        }
    }

    public ConnectionCount Remove(string sessionKey, ISessionConnection connection)
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

            return new(session.All.Length, session.Version);
        }
    }

    /// <summary>The count to tell a grain now; zero, as a change of its own, for a session that is not held.</summary>
    public ConnectionCount Count(string sessionKey)
    {
        lock (_changing)
        {
            return _sessions.TryGetValue(sessionKey, out var session) ? new(session.All.Length, session.Version) : new(0, ++_version);
        }
    }
}
