namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>The caller's token, and a limit for the time until the server has accepted the question.</summary>
internal sealed class Patience : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly TimeSpan _limit;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;
    private Func<Exception?>? _cause;

    public Patience(TimeSpan limit, TimeProvider time, CancellationToken caller)
    {
        (_caller, _limit) = (caller, limit);
        _timer = new(limit, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(caller, _timer.Token);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>True if the time was over before the server had accepted the question.</summary>
    public bool IsOver => _timer.IsCancellationRequested;

    /// <summary>Says why there is no connection, when the time is over.</summary>
    public void Explain(Func<Exception?> cause) => _cause = cause;

    /// <summary>The server has accepted the question. From now on, only the caller gives up.</summary>
    public void Accepted() => _timer.CancelAfter(Timeout.InfiniteTimeSpan);

    /// <summary>Waits for something that takes <see cref="Token"/>.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    /// <exception cref="SessionException">The time is over.</exception>
    public async Task<T> WaitAsync<T>(Task<T> task)
    {
        try
        {
            return await task.ConfigureAwait(false);
        }
        catch (OperationCanceledException fault) when (_caller.IsCancellationRequested)
        {
            throw new OperationCanceledException(fault.Message, fault, _caller);
        }
        catch (OperationCanceledException) when (_timer.IsCancellationRequested)
        {
            var cause = _cause?.Invoke();
            var message = $"The server could not be reached, or did not accept the question, within {_limit.TotalSeconds:0.###} s.";
            throw new SessionException("not_accepted", cause is null ? message : $"{message} {cause.Message}", cause);
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
