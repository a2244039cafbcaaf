using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Records;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The state of one session outside its activation: in the grain storage, or parked in this process where there is none. Writes follow each other.
/// A write that fails for good gives the activation up: the store is the truth, and what was not written was never seen.
/// </summary>
internal sealed partial class SessionStore : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly ParkedSessions _parked;
    private readonly StoredSession? _stored;
    private Task _last = Task.CompletedTask;
    private Task _queue = Task.CompletedTask;
    private CancellationTokenSource? _stopping;
    private bool _isStopping;
    private int _pending;

    /// <param name="slots">Where it is stored, or null without a store.</param>
    public SessionStore(SessionActivation activation, Session session, SessionSlots? slots, ParkedSessions parked)
    {
        (_activation, _session, _parked) = (activation, session, parked);
        _stored = slots is null ? null : new StoredSession(activation, session, slots);
    }

    /// <summary>True where the session outlives its process.</summary>
    public bool IsStored => _stored is not null;

    /// <summary>True while something waits to be written, and nothing newer may become visible.</summary>
    public bool IsWriting => _pending > 0;

    /// <summary>True where the session has something that must be written before it becomes visible.</summary>
    public bool NeedsWrite => IsStored && _session.Log.NeedsWrite;

    /// <summary>True once a write has failed for good: nothing more of this activation is written or becomes visible.</summary>
    public bool HasFailed { get; private set; }

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

    /// <summary>Waits until nothing is being written, so that a reply holds only what everyone may see.</summary>
    public async ValueTask SettleAsync()
    {
        while (!_last.IsCompleted)
        {
            await _last.UntilEnd();
        }
    }

    /// <summary>Writes the session.</summary>
    /// <param name="isRepeated">True to try until it succeeds; false where a caller waits and gets the fault.</param>
    /// <returns>The head of the log that is in the store now.</returns>
    public Task<long> WriteAsync(bool isRepeated)
    {
        _pending++;
        _session.Log.MarkTaken();
        var write = WriteAfterAsync(_queue, isRepeated);
        (_last, _queue) = (write, write);
        return write;
    }

    /// <summary>Moves ended questions out of the record, after a write and before the next one. What follows a later write waits for that.</summary>
    public void WriteBehind()
    {
        if (_stored is { NeedsPage: true } && _queue.IsCompleted && !HasFailed && !_activation.Services.Eviction.IsEvicted)
        {
            _queue = _stored.WritePageAsync();
        }
    }

    /// <summary>
    /// Deletes the session, after what is being written. Where that fails, the next activation has either all of the session, or what is left to delete.
    /// </summary>
    public Task ForgetAsync()
    {
        if (_stored is null)
        {
            return Task.CompletedTask;
        }

        // What is deleted needs no write of its own.
        _session.Log.MarkTaken();
        _pending++;
        var forget = ForgetAfterAsync(_queue, _stored);
        (_last, _queue) = (forget, forget);
        return forget;
    }

    /// <summary>
    /// Reading is using, too. A store forgets a record some time after its last write, and the next write of an activation that outlived it would fail:
    /// so the record is written again long before, without any visible effect. An open question needs none of this: its end is written.
    /// </summary>
    /// <returns>True if it was time for that.</returns>
    public bool Renew()
    {
        var unusedFor = _activation.Now - _activation.UsedAt;
        if (unusedFor < _activation.Options.Retention / 2 || !_session.IsKnown || _session.HasOpenQuestion || !_queue.IsCompleted)
        {
            return false;
        }

        _activation.UsedAt += unusedFor;
        if (_stored is not null && !_activation.Services.Eviction.IsEvicted)
        {
            _last = _queue = RenewAsync(_stored, unusedFor);
        }

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
            await Task.WhenAny(SaveLastAsync(_stored, isHandedOver), Task.Delay(LastRetry, _activation.Services.Time));
        }
    }

    /// <summary>What fails from now on is not tried again. Nothing but the wait before a retry follows the token, so nothing else runs in here.</summary>
    public void EndRetries()
    {
        _isStopping = true;
        _stopping?.Cancel();
    }

    public void Dispose()
    {
        _stored?.Checkpoints.Dispose();
        _stopping?.Dispose();
    }

    /// <summary>The next activation must not read what this one is about to write.</summary>
    private async Task SaveLastAsync(StoredSession stored, bool isHandedOver)
    {
        await _queue.UntilEnd();
        await stored.Checkpoints.SaveAsync();
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

    private async Task ForgetAfterAsync(Task previous, StoredSession stored)
    {
        try
        {
            await previous.UntilEnd();
            await stored.ForgetAsync();
        }
        catch (Exception fault)
        {
            GiveUp(fault);
            throw;
        }
        finally
        {
            _pending--;
        }
    }

    private async Task<long> WriteAfterAsync(Task previous, bool isRepeated)
    {
        try
        {
            await previous.UntilEnd();
            if (HasFailed)
            {
                throw SessionActivation.GivenUp();
            }

            return await WriteUntilItSucceedsAsync(_stored!, isRepeated);
        }
        catch (Exception)
        {
            _session.Log.MarkNotTaken();
            throw;
        }
        finally
        {
            _pending--;
        }
    }

    private async Task<long> WriteUntilItSucceedsAsync(StoredSession stored, bool isRepeated)
    {
        var delay = FirstRetry;
        for (var attempt = 1; ; attempt++)
        {
            _activation.Services.Eviction.ThrowIfEvicted();
            try
            {
                return await stored.WriteAsync();
            }
            catch (Exception fault) when (fault is not InconsistentStateException && isRepeated && !_isStopping)
            {
                LogMessages.Retried(_activation.Logger, _activation.Key, attempt, LoggedException.Of(fault));
            }
            catch (Exception fault)
            {
                GiveUp(fault);
                throw;
            }

            _stopping ??= new();
            await Task.Delay(delay, _activation.Services.Time, _stopping.Token);
            delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
        }
    }

    private async Task RenewAsync(StoredSession stored, TimeSpan unusedFor)
    {
        try
        {
            await stored.WriteAsync();
        }
        catch (InconsistentStateException fault)
        {
            GiveUp(fault);
        }
        catch (Exception fault)
        {
            // The record is still there. A later call tries again.
            LogMessages.Retried(_activation.Logger, _activation.Key, 1, LoggedException.Of(fault));
            _activation.UsedAt -= unusedFor;
        }
    }

    private void GiveUp(Exception fault)
    {
        HasFailed = true;
        LogMessages.Failed(_activation.Logger, _activation.Key, LoggedException.Of(fault));
        _activation.Leave();
    }

    private static partial class LogMessages
    {
        [LoggerMessage(3, LogLevel.Warning, "Session {SessionKey}: the planned move of question {QuestionId} could not be written; it is recovered as after a crash")]
        public static partial void NotHandedOver(ILogger logger, string sessionKey, string questionId, LoggedException fault);

        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: write {Attempt} failed and is tried again")]
        public static partial void Retried(ILogger logger, string sessionKey, int attempt, LoggedException fault);

        [LoggerMessage(2, LogLevel.Error, "Session {SessionKey}: its state could not be written; the activation is given up")]
        public static partial void Failed(ILogger logger, string sessionKey, LoggedException fault);
    }
}
