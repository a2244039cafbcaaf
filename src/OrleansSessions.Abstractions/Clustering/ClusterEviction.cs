namespace OrleansSessions.Clustering;

/// <summary>
/// Signals that the silo of this process is no longer a member of its cluster. From that moment another silo can hold the same sessions,
/// so this process accepts nothing and ends. An eviction is final. A process without a silo is never evicted.
/// </summary>
public sealed class ClusterEviction : IDisposable
{
    /// <summary>The exit code of an evicted process, so that its supervisor restarts it.</summary>
    public const int ExitCode = 3;

    private readonly CancellationTokenSource _evicted = new();

    public bool IsEvicted => _evicted.IsCancellationRequested;

    /// <summary>Cancelled when this process is evicted.</summary>
    public CancellationToken Evicted => _evicted.Token;

    /// <summary>Evicts this process. Called when the silo is found not to be a member; safe to call again.</summary>
    public Task EvictAsync() => _evicted.CancelAsync();

    /// <summary>Throws if this process has been evicted.</summary>
    /// <exception cref="SiloUnavailableException">The silo is evicted. The caller can repeat the call, which then reaches another silo.</exception>
    public void ThrowIfEvicted()
    {
        if (IsEvicted)
        {
            throw new SiloUnavailableException("This silo is no longer a member of its cluster.");
        }
    }

    public void Dispose() => _evicted.Dispose();
}
