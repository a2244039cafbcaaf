using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// Sleeping sessions, where no store is configured and this silo is the only one: another one would not find them. Bounded in number, bytes and age: the one that has slept longest goes first.
/// They go with the process, so a crash cannot revive old numbers.
/// </summary>
internal sealed class ParkedSessions(IOptions<SessionsOptions> options, [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, SessionState State)>> _byKey = [];
    private readonly LinkedList<(string Key, SessionState State)> _oldestFirst = [];
    private long _bytes;

    public void Park(string key, SessionState state)
    {
        lock (_gate)
        {
            Remove(key);
            _byKey[key] = _oldestFirst.AddLast((key, state));
            _bytes += state.Weight;
            Trim();
        }
    }

    /// <summary>Takes a session's state out, or null where none is parked.</summary>
    public SessionState? Take(string key)
    {
        lock (_gate)
        {
            Trim();
            return Remove(key);
        }
    }

    private SessionState? Remove(string key)
    {
        if (!_byKey.Remove(key, out var node))
        {
            return null;
        }

        _oldestFirst.Remove(node);
        _bytes -= node.Value.State.Weight;
        return node.Value.State;
    }

    private void Trim()
    {
        var limits = options.Value;
        var expired = time.GetUtcNow() - limits.Retention;
        while (_oldestFirst.First is { } oldest
            && (_byKey.Count > limits.MaxParkedSessions || _bytes > limits.MaxParkedBytes || oldest.Value.State.UsedAt < expired))
        {
            Remove(oldest.Value.Key);
        }
    }
}
