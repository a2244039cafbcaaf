namespace OrleansSessions.Scopes;

/// <summary>
/// Calls that a request waits for, but not for long, and that can be done without. After a call that failed none is made for a moment, so that an outage
/// delays few requests. Thread-safe.
/// </summary>
/// <param name="onFailed">Called once at the beginning of an outage, for the log.</param>
/// <param name="onAnswered">Called once at its end.</param>
internal sealed class PatientCalls(TimeProvider time, Action<Exception> onFailed, Action onAnswered)
{
    /// <summary>How long a call can take. Two seconds are below the time-out of any grain call.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long no call is made after one that failed.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _failedAt;

    /// <summary>Returns the reply, or null if there is none.</summary>
    public async Task<T?> TryAsync<T>(Func<Task<T>> call)
        where T : class
    {
        if (IsPaused())
        {
            return null;
        }

        try
        {
            var reply = await call().WaitAsync(Patience, time).ConfigureAwait(false);
            OnAnswered();
            return reply;
        }
        catch (Exception fault)
        {
            OnFailed(fault);
            return null;
        }
    }

    private bool IsPaused()
    {
        lock (_gate)
        {
            return _failedAt is { } failedAt && time.GetElapsedTime(failedAt) < Pause;
        }
    }

    private void OnAnswered()
    {
        lock (_gate)
        {
            if (_failedAt is null)
            {
                return;
            }

            _failedAt = null;
        }

        onAnswered();
    }

    private void OnFailed(Exception fault)
    {
        lock (_gate)
        {
            var isKnown = _failedAt is not null;
            _failedAt = time.GetTimestamp();
            if (isKnown)
            {
                return;
            }
        }

        onFailed(fault);
    }
}
