namespace OrleansSessions.Grains.Sessions;

/// <summary>The one timer of a session. It fires when the deadlines must be looked at, and also keeps the activation alive while a question is open.</summary>
internal sealed class DeadlineTimer(SessionActivation activation, Func<Task> onDue) : IDisposable
{
    private IGrainTimer? _timer;
    private DateTimeOffset? _setTo;

    /// <summary>Sets the timer. Where nothing is open it is stopped, because its call would keep an idle session awake.</summary>
    public void Set(DateTimeOffset? deadline)
    {
        if (deadline is null)
        {
            if (_setTo is not null)
            {
                _setTo = null;
                _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            return;
        }

        // It keeps the activation alive, so it must fire within the collection age.
        var now = activation.Now;
        var latest = now + (activation.Options.CollectionAge / 2);
        var due = deadline.Value < latest ? deadline.Value : latest;
        if (_setTo is { } setTo && setTo <= due)
        {
            return;
        }

        _setTo = due;
        var delay = due > now ? due - now : TimeSpan.Zero;
        if (_timer is null)
        {
            _timer = activation.Grain.RegisterGrainTimer(
                static timer => timer.OnDueAsync(), this, new() { DueTime = delay, Period = Timeout.InfiniteTimeSpan, KeepAlive = true, Interleave = true });
        }
        else
        {
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer?.Dispose();

    private Task OnDueAsync()
    {
        _setTo = null;
        return onDue();
    }
}
