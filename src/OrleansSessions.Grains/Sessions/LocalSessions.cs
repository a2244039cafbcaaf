using System.Collections.Concurrent;
using OrleansSessions.Clustering;
using OrleansSessions.Grains.Gateways;

namespace OrleansSessions.Grains.Sessions;

/// <summary>The active sessions of this silo, and what happens to all of them at once: the silo is evicted, or it drains.</summary>
internal sealed class LocalSessions : IDisposable
{
    private readonly ConcurrentDictionary<LocalSession, bool> _all = new();
    private readonly CancellationTokenRegistration _eviction;

    public LocalSessions(ClusterEviction eviction, ClusterView cluster)
    {
        (Eviction, Cluster) = (eviction, cluster);
        _eviction = eviction.Evicted.UnsafeRegister(static sessions => ((LocalSessions)sessions!).EndEvicted(), this);
    }

    public ClusterEviction Eviction { get; }

    public ClusterView Cluster { get; }

    public IEnumerable<LocalSession> All => _all.Select(entry => entry.Key);

    public void Add(LocalSession session)
    {
        _all[session] = true;
        if (Eviction.IsEvicted)
        {
            // It can have missed the others' end.
            session.EndEvicted();
        }
    }

    public void Remove(LocalSession session) => _all.TryRemove(session, out _);

    public void Dispose() => _eviction.Dispose();

    private void EndEvicted()
    {
        foreach (var session in All)
        {
            session.EndEvicted();
        }
    }
}
