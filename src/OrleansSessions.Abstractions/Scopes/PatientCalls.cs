namespace OrleansSessions.Scopes;

/// <summary>
/// Calls that a request waits for, but not for long, and that can be done without. After a call that failed none with the same key is made for a moment, so
/// that an outage delays few requests. Thread-safe.
/// </summary>
/// <param name="onFailed">Called once at the beginning of an outage, for the log.</param>
/// <param name="onAnswered">Called once at its end.</param>
internal sealed class PatientCalls(TimeProvider time, Action<Exception> onFailed, Action onAnswered)
{
    /// <summary>How long a call can take. Two seconds are below the time-out of any grain call.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long no call is made with a key after one that failed.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many keys can fail one by one, which take about 100 kB. At this number none is called for a while, because then more is lost than one silo.
    /// </summary>
    public const int MaxFailed = 1_000;

    /// <summary>A key that was not called again for so long after its failure is no part of an outage any more.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _failedAt = new(StringComparer.Ordinal);
    private long _lastFailedAt;

    /// <summary>Returns the reply, or null if there is none.</summary>
    /// <param name="key">Calls with different keys can reach different silos, so one can fail while others do not.</param>
    public async Task<T?> TryAsync<T>(string key, Func<Task<T>> call)
        where T : class
    {
        if (IsPaused(key))
        {
            return null;
        }

        try
        {
            var reply = await call().WaitAsync(Patience, time).ConfigureAwait(false);
            OnAnswered(key);
            return reply;
        }
        catch (Exception fault)
        {
            OnFailed(key, fault);
            return null;
        }
    }

    private bool IsPaused(string key)
    {
        lock (_gate)
        {
            return _failedAt.TryGetValue(key, out var failedAt)
                ? time.GetElapsedTime(failedAt) < Pause
                : _failedAt.Count >= MaxFailed && time.GetElapsedTime(_lastFailedAt) < Pause;
        }
    }

    private void OnAnswered(string key)
    {
        lock (_gate)
        {
            if (_failedAt.Count == 0)
            {
                return;
            }

            _failedAt.Remove(key);
            DropOld();
            if (_failedAt.Count > 0)
            {
                return;
            }
        }

        onAnswered();
    }

    private void OnFailed(string key, Exception fault)
    {
        lock (_gate)
        {
            _lastFailedAt = time.GetTimestamp();
            var isFirst = _failedAt.Count == 0;
            if (_failedAt.Count >= MaxFailed)
            {
                DropOld();
            }

            if (_failedAt.Count < MaxFailed || _failedAt.ContainsKey(key))
            {
                _failedAt[key] = _lastFailedAt;
            }

            if (!isFirst)
            {
                return;
            }
        }

        onFailed(fault);
    }

    private void DropOld()
    {
        foreach (var (key, failedAt) in _failedAt)
        {
            if (time.GetElapsedTime(failedAt) >= Memory)
            {
                _failedAt.Remove(key);
            }
        }
    }
}
