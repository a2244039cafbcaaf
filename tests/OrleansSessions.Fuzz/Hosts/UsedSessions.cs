using System.Collections.Concurrent;

namespace OrleansSessions.Fuzz.Hosts;

/// <summary>The ids of the sessions that a request has used with success. Only these may be kept.</summary>
internal sealed class UsedSessions
{
    private readonly ConcurrentDictionary<string, bool> _ids = new(StringComparer.Ordinal);

    public int Count => _ids.Count;

    public void Add(string id) => _ids.TryAdd(id, true);
}
