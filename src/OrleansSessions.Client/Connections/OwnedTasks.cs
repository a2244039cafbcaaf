namespace OrleansSessions.Client.Connections;

/// <summary>The background tasks of a session. Their owner awaits them when it stops.</summary>
/// <param name="onFault">Called with an exception that a task did not expect.</param>
internal sealed class OwnedTasks(Action<Exception> onFault, CancellationToken stopping)
{
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _running = [];

    public void Run(Func<CancellationToken, Task> work)
    {
        lock (_gate)
        {
            if (!stopping.IsCancellationRequested)
            {
                var task = Task.Run(() => GuardAsync(work), CancellationToken.None);
                _running.Add(task);
                _ = ForgetAsync(task);
            }
        }
    }

    /// <summary>Waits for all of them. Call it once the stopping token is cancelled.</summary>
    public async Task WhenAllAsync()
    {
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task GuardAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception fault)
        {
            onFault(fault);
        }
    }

    private async Task ForgetAsync(Task task)
    {
        await task.ConfigureAwait(false);
        lock (_gate)
        {
            _running.Remove(task);
        }
    }
}
