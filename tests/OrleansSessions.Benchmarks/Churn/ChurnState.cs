using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Churn;

/// <summary>What a server and its store hold while nobody uses them.</summary>
/// <param name="Activations">The grains that are active, of whatever kind.</param>
/// <param name="LastingKeys">The keys in Redis that never expire.</param>
/// <param name="ExpiringKeys">The number of the others.</param>
internal sealed record ChurnState(MemoryReading Memory, long Activations, IReadOnlySet<string> LastingKeys, long ExpiringKeys);
