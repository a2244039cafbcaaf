using OrleansSessions.TestKit.Stores;

namespace OrleansSessions.Tests.Durability;

/// <summary>
/// Stops a process as its session sees it: at one of its changes to the store nothing more gets through, and no reply comes back. <see cref="Thaw"/> lets all
/// that hangs go on, like a process that was only stopped.
/// </summary>
/// <param name="change">The number of the change, from 1.</param>
/// <param name="isApplied">True if that change still reaches the store, and only its reply does not come.</param>
internal sealed class CrashPoint(int change, bool isApplied)
{
    private readonly TaskCompletionSource _crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _thawed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _changes;

    public int Change => change;

    public bool IsApplied => isApplied;

    /// <summary>Completes at the crash.</summary>
    public Task Crashed => _crashed.Task;

    public Task BeforeAsync(StoreOperation operation)
    {
        if (operation.IsChange && Interlocked.Increment(ref _changes) == change && !isApplied)
        {
            _crashed.TrySetResult();
        }

        return WaitAsync();
    }

    public Task AfterAsync(StoreOperation operation)
    {
        if (isApplied && operation.IsChange && Volatile.Read(ref _changes) >= change)
        {
            _crashed.TrySetResult();
        }

        return WaitAsync();
    }

    public void Thaw() => _thawed.TrySetResult();

    private Task WaitAsync() => _crashed.Task.IsCompleted ? _thawed.Task : Task.CompletedTask;
}
