using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Scopes;

namespace OrleansSessions.Grains.Scopes;

/// <summary>
/// What the sessions of this silo report to the indexes of their scopes. The first question of a session and its removal are reported at once; later questions
/// are collected, so that a scope gets one call a second. What an index did not take is reported again. Thread-safe.
/// </summary>
internal sealed partial class ScopeIndexes : ILifecycleParticipant<ISiloLifecycle>, IAsyncDisposable
{
    private static readonly TimeSpan FlushPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Many scopes can be busy in the same second, and the silo has other work.</summary>
    private const int MaxCalls = 16;

    private readonly Lock _gate = new();
    private readonly IGrainFactory _grains;
    private readonly PatientCalls _calls;
    private readonly ITimer _timer;
    private Dictionary<string, Dictionary<string, ListedSession>> _touched = new(StringComparer.Ordinal);

    /// <summary>What was removed while a flush was under way. If that flush fails, it must not come back.</summary>
    private readonly HashSet<(string Scope, string SessionId)> _removed = [];

    private Task _flush = Task.CompletedTask;

    public ScopeIndexes(IGrainFactory grains, TimeProvider time, ILogger<ScopeIndexes> logger)
    {
        _grains = grains;
        _calls = new(time, fault => LogMessages.Failed(logger, LoggedException.Of(fault)), () => LogMessages.Answered(logger));
        _timer = time.CreateTimer(static self => ((ScopeIndexes)self!).Flush(), this, FlushPeriod, FlushPeriod);
    }

    /// <summary>Asks for a place for a session. Null if the index cannot be asked: the session is let through, and <see cref="Touch"/> adds it.</summary>
    public async ValueTask<bool?> TryAddAsync(string scope, ListedSession session) =>
        (await _calls.TryAsync(scope, () => IndexOf(scope).AddAsync(new() { Session = session })))?.IsAdded;

    /// <summary>Notes a later question or use. It is reported within about a second.</summary>
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

    /// <summary>Removes the entry of a session. Throws if the index could not be asked or written; safe to repeat.</summary>
    public Task RemoveAsync(string scope, string sessionId)
    {
        lock (_gate)
        {
            if (!_flush.IsCompleted)
            {
                _removed.Add((scope, sessionId));
            }

            if (_touched.TryGetValue(scope, out var sessions))
            {
                sessions.Remove(sessionId);
            }
        }

        return IndexOf(scope).RemoveAsync(new() { SessionIds = [sessionId], IsDurable = true });
    }

    /// <summary>Reports what is left before the silo stops to serve, because then no index can be reached.</summary>
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(ScopeIndexes), ServiceLifecycleStage.Active + 1, static _ => Task.CompletedTask, FlushAsync);

    /// <summary>Reports what has been noted. Completes when that is done, has failed, or is cancelled.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _flush.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Flush();
        await _flush.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                _removed.Clear();
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

        var reply = await _calls.TryAsync(touched.Key, async () =>
        {
            await IndexOf(touched.Key).TouchAsync(new() { Sessions = [.. touched.Value.Values] });
            return touched.Key;
        });
        if (reply is null)
        {
            NoteAgain(touched.Key, touched.Value);
        }
    }

    private void NoteAgain(string scope, Dictionary<string, ListedSession> sessions)
    {
        lock (_gate)
        {
            if (!_touched.TryGetValue(scope, out var later))
            {
                _touched[scope] = later = new(StringComparer.Ordinal);
            }

            foreach (var (sessionId, session) in sessions)
            {
                if (!_removed.Contains((scope, sessionId)))
                {
                    later.TryAdd(sessionId, session);
                }
            }
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning,
            "The index of a scope could not be reached. Until it answers again, its sessions are admitted without a place, and its list can be old. "
            + "Others can follow.")]
        public static partial void Failed(ILogger logger, LoggedException fault);

        [LoggerMessage(2, LogLevel.Information, "The indexes of scopes answer again.")]
        public static partial void Answered(ILogger logger);
    }
}
