using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.States;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The state of one session outside its activation: in the grain storage, or parked in this process where there is none.
/// </summary>
internal sealed partial class SessionStore : IDisposable
{
    /// <summary>How long an activation that leaves waits for the store.</summary>
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(2);

    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly ParkedSessions _parked;
    private readonly StoreWatch _watch;
    private readonly StoredSession? _stored;
    private readonly SessionWrites? _writes;

    /// <param name="slots">Where it is stored, or null without a store.</param>
    public SessionStore(SessionActivation activation, Session session, SessionSlots? slots, ParkedSessions parked, StoreWatch watch)
    {
        (_activation, _session, _parked, _watch) = (activation, session, parked, watch);
        if (slots is not null)
        {
            _stored = new StoredSession(activation, session, slots);
            _writes = new SessionWrites(activation, session, _stored, watch);
        }
    }

    /// <summary>True where the session outlives its process.</summary>
    public bool IsStored => _stored is not null;

    /// <summary>True while the store is known to be away, so that nothing can be written.</summary>
    public bool IsAway => IsStored && _watch.Health.IsAway;

    /// <inheritdoc cref="SessionWrites.IsWriting"/>
    public bool IsWriting => _writes is { IsWriting: true };

    /// <inheritdoc cref="SessionWrites.IsWaiting"/>
    public bool IsWaiting => _writes is { IsWaiting: true };

    /// <summary>True where the session has something that must be written before it becomes visible.</summary>
    public bool NeedsWrite => IsStored && _session.Log.NeedsWrite;

    /// <summary>True while the activation is needed to write something, or to take something back that may have been written.</summary>
    public bool NeedsActivation => IsWriting || _stored is { IsUncertain: true };

    /// <inheritdoc cref="SessionWrites.HasFailed"/>
    public bool HasFailed => _writes is { HasFailed: true };

    /// <inheritdoc cref="SessionWrites.OnWaiting"/>
    public void OnWaiting(Action act)
    {
        if (_writes is not null)
        {
            _writes.OnWaiting = act;
        }
    }

    /// <summary>Reads what the last activation has left, or null.</summary>
    public async Task<SavedSession?> LoadAsync()
    {
        var saved = _stored is not null ? await _stored.LoadAsync()
            : _parked.Take(_activation.Key) is { } record ? SavedSession.Of(record)
            : null;
        if (saved is not null)
        {
            _activation.UsedAt = saved.Record.UsedAt;
        }

        return saved;
    }

    /// <summary>Reads the ended questions that are not in memory.</summary>
    public Task LoadOlderAsync() => _stored is not null && _session.Ended.Pages.HasUnloaded ? _stored.LoadOlderAsync() : Task.CompletedTask;

    /// <summary>Refuses at once what must be written, where that is known to be impossible.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public void ThrowIfAway()
    {
        if (IsStored)
        {
            _watch.ThrowIfAway();
        }
    }

    /// <inheritdoc cref="SessionWrites.SettleAsync"/>
    public ValueTask SettleAsync() => _writes?.SettleAsync() ?? default;

    /// <inheritdoc cref="StoreWatch.WaitAsync"/>
    public ValueTask WaitAsync(Task write) => _watch.WaitAsync(write);

    /// <inheritdoc cref="StoreWatch.WaitForAttemptAsync"/>
    public ValueTask WaitForAttemptAsync(Task attempt) => _watch.WaitForAttemptAsync(attempt);

    /// <inheritdoc cref="SessionWrites.WriteAsync"/>
    public Task<long> WriteAsync(Func<bool>? tryUndo = null) => _writes!.WriteAsync(tryUndo);

    /// <inheritdoc cref="SessionWrites.WriteBehind"/>
    public void WriteBehind() => _writes?.WriteBehind();

    /// <summary>
    /// Deletes the session, after what is being written. Where that fails, the next activation has either all of the session, or what is left to delete.
    /// </summary>
    public Task ForgetAsync() => _writes?.ForgetAsync() ?? Task.CompletedTask;

    /// <summary>
    /// Reading is using, too. A store forgets a record some time after its last write, and the next write of an activation that outlived it would fail:
    /// so the record is written again long before, without any visible effect. An open question needs none of this: its end is written.
    /// </summary>
    /// <returns>True if it was time for that.</returns>
    public bool Renew()
    {
        var unusedFor = _activation.Now - _activation.UsedAt;
        var isBusy = _session.HasOpenQuestion || _writes is { IsIdle: false } || IsAway;
        if (unusedFor < _activation.Options.Retention / 2 || !_session.IsKnown || isBusy)
        {
            return false;
        }

        _activation.UsedAt += unusedFor;
        _writes?.Renew(onFailed: () => _activation.UsedAt -= unusedFor);
        return true;
    }

    /// <summary>Text has come that a crash should not take.</summary>
    public void PlanCheckpoint() => _stored?.Checkpoints.Plan();

    /// <summary>
    /// The activation leaves: nothing is tried again. What is being written gets a moment to arrive, and the text of a running answer is saved; without a store
    /// the session is kept in this process.
    /// </summary>
    /// <param name="isHandedOver">True to note that its process stops in order.</param>
    public async Task StopAsync(bool isHandedOver)
    {
        EndRetries();
        if (_stored is null && _session.IsKnown)
        {
            _parked.Park(_activation.Key, _session.ToRecord(_activation.UsedAt), _activation.Now - _activation.UsedAt);
        }
        else if (_stored is not null && !HasFailed)
        {
            await Task.WhenAny(SaveLastAsync(_stored, _writes!, isHandedOver), Task.Delay(LastPatience, _activation.Services.Time));
        }
    }

    /// <inheritdoc cref="SessionWrites.EndRetries"/>
    public void EndRetries() => _writes?.EndRetries();

    public void Dispose()
    {
        _stored?.Checkpoints.Dispose();
        _writes?.Dispose();
    }

    /// <summary>The next activation must not read what this one is about to write.</summary>
    private async Task SaveLastAsync(StoredSession stored, SessionWrites writes, bool isHandedOver)
    {
        await writes.UntilEnd();
        await stored.Checkpoints.SaveAsync();
        if (stored.IsUncertain && !HasFailed && !_activation.Services.Eviction.IsEvicted)
        {
            await TakeBackAsync(stored);
        }

        if (isHandedOver && !HasFailed && !_activation.Services.Eviction.IsEvicted && _session.Running is { IsAnsweredFromOutside: false } running)
        {
            running.IsHandedOver = true;
            try
            {
                await stored.WriteAsync();
            }
            catch (Exception fault)
            {
                // The question is recovered all the same, and this attempt counts.
                LogMessages.NotHandedOver(_activation.Logger, _activation.Key, running.Id, LoggedException.Of(fault));
            }
        }
    }

    private async Task TakeBackAsync(StoredSession stored)
    {
        try
        {
            await stored.ReconcileAsync();
        }
        catch (Exception fault)
        {
            LogMessages.NotTakenBack(_activation.Logger, _activation.Key, LoggedException.Of(fault));
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(
            2, LogLevel.Warning, "Session {SessionKey}: a question that was refused because the store was away can have been stored, and runs when the session is used")]
        public static partial void NotTakenBack(ILogger logger, string sessionKey, LoggedException fault);

        [LoggerMessage(
            1, LogLevel.Warning, "Session {SessionKey}: the planned move of question {QuestionId} could not be written; it is recovered as after a crash")]
        public static partial void NotHandedOver(ILogger logger, string sessionKey, string questionId, LoggedException fault);
    }
}
