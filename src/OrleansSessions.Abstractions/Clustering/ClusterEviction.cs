namespace OrleansSessions.Clustering;

/// <summary>
/// Tells the parts of a process that its silo is no longer a member of its cluster. From that moment another silo may hold the same sessions,
/// so this process accepts nothing, and ends. An eviction is never taken back. A process without a silo is never evicted.
/// </summary>
public sealed class ClusterEviction : IDisposable
{
    /// <summary>What the process ends with, so that its supervisor starts it again.</summary>
    public const int ExitCode = 3;

    private readonly CancellationTokenSource _evicted = new();

    /// <summary>True from the moment of the eviction on.</summary>
    public bool IsEvicted => _evicted.IsCancellationRequested;

    /// <summary>Cancelled at the eviction.</summary>
    public CancellationToken Evicted => _evicted.Token;

    /// <summary>Evicts this process. Called once the silo is found to be no member; safe to repeat.</summary>
    public Task EvictAsync() => _evicted.CancelAsync();

    /// <summary>Does nothing while the silo is a member.</summary>
    /// <exception cref="SiloUnavailableException">The silo is evicted: the call may be repeated, at another silo.</exception>
    public void ThrowIfEvicted()
    {
        if (IsEvicted)
        {
            throw new SiloUnavailableException("This silo is no longer a member of its cluster.");
        }
    }

    public void Dispose() => _evicted.Dispose();
}
