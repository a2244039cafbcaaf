namespace OrleansSessions.Clustering;

/// <summary>
/// The orderly end of this process. While it drains, it takes nothing new, what is under way may finish, and clients and sessions move to other processes. A drain
/// is final, and it ends when nothing is left, when its time is over (<see cref="DrainOptions.Timeout"/>), or with <see cref="EndNow"/>.
/// </summary>
public sealed class Drain : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _ending = new();

    /// <summary>True from the moment when the host is told to stop.</summary>
    public bool IsDraining => _draining.IsCancellationRequested;

    /// <summary>Cancelled when the drain begins.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Cancelled when what is left must leave at once.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Begins the drain. The host calls this when it stops; safe to call again.</summary>
    public Task BeginAsync() => _draining.CancelAsync();

    /// <summary>Ends the drain: what is left is saved and leaves at once. Safe to call again, from any thread, and before the drain has begun.</summary>
    public void EndNow() => _ending.CancelAsync();

    /// <inheritdoc/>
    public void Dispose()
    {
        _draining.Dispose();
        _ending.Dispose();
    }
}
