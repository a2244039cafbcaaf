namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>The turns of one process, one after the other and only when the test says so. Whatever the code under test awaits comes back here.</summary>
internal sealed class Turns : SynchronizationContext, IWorkItemScheduler
{
    private readonly Queue<(SendOrPostCallback Turn, object? State)> _queue = new();

    public bool IsEmpty => _queue.Count == 0;

    /// <summary>Runs what is queued, and what that queues. An exception that nothing catches fails the test.</summary>
    public void Run()
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            while (_queue.TryDequeue(out var next))
            {
                next.Turn(next.State);
            }
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Has tasks run as turns, too.</summary>
    public TaskScheduler ToScheduler()
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            return TaskScheduler.FromCurrentSynchronizationContext();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    public override void Post(SendOrPostCallback d, object? state) => _queue.Enqueue((d, state));

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("No code here may block on a turn.");

    public override SynchronizationContext CreateCopy() => this;

    public void QueueAction(Action action) => Post(static action => ((Action)action!)(), action);

    public void QueueAction(Action<object> action, object state) => Post(state => action(state!), state);

    public void QueueTask(Task task) => throw new NotSupportedException();
}
