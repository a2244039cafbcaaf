using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>
/// What the sessions of this silo report to the indexes of their scopes. The first question of a session and its removal are reported at once; later questions
/// are collected, so that a scope gets one call a second. Thread-safe.
/// </summary>
internal sealed partial class ScopeIndexes : IAsyncDisposable
{
    private static readonly TimeSpan FlushPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Many scopes can be busy in the same second, and the silo has other work.</summary>
    private const int MaxCalls = 16;

    private readonly Lock _gate = new();
    private readonly IGrainFactory _grains;
    private readonly PatientCalls _calls;
    private readonly ITimer _timer;
    private Dictionary<string, Dictionary<string, ListedSession>> _touched = new(StringComparer.Ordinal);
    private Task _flush = Task.CompletedTask;

    public ScopeIndexes(IGrainFactory grains, TimeProvider time, ILogger<ScopeIndexes> logger)
    {
        _grains = grains;
        _calls = new(time, fault => LogMessages.Failed(logger, LoggedException.Of(fault)), () => LogMessages.Answered(logger));
        _timer = time.CreateTimer(static self => ((ScopeIndexes)self!).Flush(), this, FlushPeriod, FlushPeriod);
    }

    /// <summary>Asks for a place for a session. If the index cannot be asked, the session is let through: its next question adds it.</summary>
    public async ValueTask<bool> TryAddAsync(string scope, ListedSession session) =>
        await _calls.TryAsync(scope, () => IndexOf(scope).AddAsync(new() { Session = session })) is not { IsAdded: false };

    /// <summary>Notes a later question. It is reported within about a second.</summary>
    public void Touch(string scope, ListedSession session)
    {
        lock (_gate)
        {
            if (!_touched.TryGetValue(scope, out var sessions))
            {
                _touched[scope] = sessions = new(StringComparer.Ordinal);
            }

            sessions[session.SessionId] = session;
        }
    }

    /// <summary>Removes the entry of a session. Never throws: without a reply the entry stays until it is listed, or gives way to another.</summary>
    public async ValueTask RemoveAsync(string scope, string sessionId)
    {
        lock (_gate)
        {
            if (_touched.TryGetValue(scope, out var sessions))
            {
                sessions.Remove(sessionId);
            }
        }

        await _calls.TryAsync(scope, async () =>
        {
            await IndexOf(scope).RemoveAsync(new() { SessionIds = [sessionId] });
            return scope;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _flush.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private IScopeIndexGrain IndexOf(string scope) => _grains.GetGrain<IScopeIndexGrain>(scope);

    private void Flush()
    {
        lock (_gate)
        {
            if (_touched.Count > 0 && _flush.IsCompleted)
            {
                var touched = _touched;
                _touched = new(StringComparer.Ordinal);
                _flush = Task.Run(() => Parallel.ForEachAsync(touched, new ParallelOptions { MaxDegreeOfParallelism = MaxCalls }, ReportAsync));
            }
        }
    }

    private async ValueTask ReportAsync(KeyValuePair<string, Dictionary<string, ListedSession>> touched, CancellationToken cancellationToken)
    {
        if (touched.Value.Count == 0)
        {
            return;
        }

        await _calls.TryAsync(touched.Key, async () =>
        {
            await IndexOf(touched.Key).TouchAsync(new() { Sessions = [.. touched.Value.Values] });
            return touched.Key;
        });
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning,
            "The index of a scope could not be reached. Until it answers again, sessions are admitted without a place, and lists of sessions can be old.")]
        public static partial void Failed(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Information, "The indexes of scopes answer again.")]
        public static partial void Answered(ILogger logger);
    }
}
