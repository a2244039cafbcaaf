using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Scopes;

/// <summary>
/// Calls the quota grains. A quota that cannot be asked limits no one: a caller that gets no reply goes on as if it were allowed. After a call that failed,
/// no call is made for a moment, so that an outage delays few requests, and the log has one line for it. Thread-safe.
/// </summary>
internal sealed partial class ScopeQuotaCalls(IGrainFactory grains, TimeProvider time, ILogger<ScopeQuotaCalls> logger)
{
    /// <summary>How long a call can take. A request waits for it, and two seconds are below the time-out of any grain call.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long no call is made after one that failed.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long? _failedAt;

    /// <summary>Returns the reply of a scope's quota grain, or null if there is none.</summary>
    public async Task<T?> TryAsync<T>(string scope, Func<IScopeQuotaGrain, Task<T>> call)
        where T : class
    {
        if (IsPaused())
        {
            return null;
        }

        try
        {
            var reply = await call(grains.GetGrain<IScopeQuotaGrain>(scope)).WaitAsync(Patience, time).ConfigureAwait(false);
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

        LogMessages.Answered(logger);
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

        LogMessages.Failed(logger, LoggedException.Of(fault));
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The quotas of a scope could not be asked. Until they answer again, the limits of section Limits are not enforced here.")]
        public static partial void Failed(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Information, "The quotas of scopes answer again.")]
        public static partial void Answered(ILogger logger);
    }
}
