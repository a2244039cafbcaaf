using System.Collections.Concurrent;

namespace OrleansSessions.Chaos.Results;

/// <summary>What a run did, by name.</summary>
internal sealed class Counts
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public int this[string name] => _counts.GetValueOrDefault(name);

    /// <summary>All counts in the order of their names.</summary>
    public IReadOnlyDictionary<string, int> All => new SortedDictionary<string, int>(_counts, StringComparer.Ordinal);

    public void Add(string name, int number = 1) => _counts.AddOrUpdate(name, number, (_, count) => count + number);
}
