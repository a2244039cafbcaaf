using Orleans.Timers;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>The timers of one activation. One that is due fires when the test looks at them.</summary>
internal sealed class ModelTimers(Turns turns, TimeProvider time) : ITimerRegistry
{
    private readonly List<Timer> _timers = [];
    private bool _isStopped;

    public IDisposable RegisterTimer(IGrainContext grainContext, Func<object?, Task> callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException();

    public IGrainTimer RegisterGrainTimer<TState>(
        IGrainContext grainContext, Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        var timer = new Timer(time, () => callback(state, CancellationToken.None));
        timer.Change(options.DueTime, options.Period);
        _timers.Add(timer);
        return timer;
    }

    public void FireDue()
    {
        foreach (var timer in _timers.FindAll(timer => timer.DueAt <= time.GetUtcNow()).OrderBy(timer => timer.DueAt))
        {
            timer.DueAt = null;
            turns.QueueAction(() =>
            {
                if (!_isStopped)
                {
                    RunAsync(timer.Callback).Ignore();
                }
            });
        }
    }

    public void Stop() => _isStopped = true;

    private async Task RunAsync(Func<Task> callback)
    {
        try
        {
            await callback();
        }
        catch (Exception fault)
        {
            turns.QueueAction(() => throw new InvalidOperationException("A timer's callback failed.", fault));
        }
    }

    private sealed class Timer(TimeProvider time, Func<Task> callback) : IGrainTimer
    {
        public Func<Task> Callback { get; } = callback;

        public DateTimeOffset? DueAt { get; set; }

        public void Change(TimeSpan dueTime, TimeSpan period) =>
            DueAt = dueTime == Timeout.InfiniteTimeSpan ? null : time.GetUtcNow() + dueTime;

        public void Dispose() => DueAt = null;
    }
}
