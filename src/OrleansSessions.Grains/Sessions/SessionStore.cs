using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The state of one session outside its activation: in the grain storage, or parked in this process where there is none. Writes follow each other.
/// A write that fails gives the activation up: the store is the truth, and what was not written was never seen.
/// </summary>
internal sealed partial class SessionStore(
    SessionActivation activation, Session session, IPersistentState<SessionState>? stored, ParkedSessions parked)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private Task _last = Task.CompletedTask;
    private int _pending;

    /// <summary>True while something waits to be written, and nothing newer may become visible.</summary>
    public bool IsWriting => _pending > 0;

    /// <summary>True where the session has something that must be written before it becomes visible.</summary>
    public bool NeedsWrite => stored is not null && session.Log.NeedsWrite;

    /// <summary>True once a write has failed for good: nothing more of this activation is written or becomes visible.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The state that the last activation left, or null.</summary>
    public SessionState? Load()
    {
        var state = stored is null ? parked.Take(activation.Key) : stored.State;
        if (state is not { Epoch: > 0 })
        {
            return null;
        }

        activation.UsedAt = state.UsedAt;
        return state;
    }

    /// <summary>Waits until nothing is being written, so that a reply holds only what everyone may see.</summary>
    public async ValueTask SettleAsync()
    {
        while (!_last.IsCompleted)
        {
            await _last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>Writes the session.</summary>
    /// <param name="attempts">How often it is tried before the activation is given up.</param>
    /// <returns>The head of the log that is in the store now.</returns>
    public Task<long> WriteAsync(int attempts)
    {
        _pending++;
        var write = WriteAfterAsync(_last, attempts);
        _last = write;
        return write;
    }

    /// <summary>Deletes the record. Where that fails the store is as it was, and so the next activation takes it up.</summary>
    public async Task ForgetAsync()
    {
        if (stored is null)
        {
            return;
        }

        // What is deleted needs no write of its own.
        session.Log.MarkTaken();
        _pending++;
        try
        {
            await stored.ClearStateAsync();
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

    /// <summary>
    /// Reading is using, too. A store forgets a record some time after its last write, and the next write of an activation that outlived it would fail:
    /// so the record is written again long before, without any visible effect. An open question needs none of this: its end is written.
    /// </summary>
    /// <returns>True if it was time for that.</returns>
    public bool Renew()
    {
        var unusedFor = activation.Now - activation.UsedAt;
        if (unusedFor < activation.Options.Retention / 2 || !session.IsKnown || session.HasOpenQuestion || IsWriting)
        {
            return false;
        }

        activation.UsedAt += unusedFor;
        if (stored is not null && !activation.Services.Eviction.IsEvicted)
        {
            _last = RenewStoredAsync(stored, unusedFor);
        }

        return true;
    }

    /// <summary>Keeps the session in this process while its grain sleeps, where there is no store.</summary>
    public void Park()
    {
        if (stored is null && session.IsKnown)
        {
            parked.Park(activation.Key, session.ToState(activation.UsedAt), activation.Now - activation.UsedAt);
        }
    }

    private async Task<long> WriteAfterAsync(Task previous, int attempts)
    {
        try
        {
            if (!previous.IsCompleted)
            {
                await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }

            return await WriteAsync(stored!, attempts);
        }
        catch (Exception)
        {
            session.Log.MarkNotTaken();
            throw;
        }
        finally
        {
            _pending--;
        }
    }

    private async Task<long> WriteAsync(IPersistentState<SessionState> record, int attempts)
    {
        for (var attempt = 1; ; attempt++)
        {
            activation.Services.Eviction.ThrowIfEvicted();
            try
            {
                var head = session.Log.Head;
                record.State = session.ToState(activation.UsedAt);
                session.Log.MarkTaken();
                await record.WriteStateAsync();
                return head;
            }
            catch (Exception fault) when (fault is not InconsistentStateException && attempt < attempts)
            {
                LogMessages.Retried(activation.Logger, activation.Key, attempt, LoggedException.Of(fault));
                await Task.Delay(RetryDelay, activation.Services.Time);
            }
            catch (Exception fault)
            {
                GiveUp(fault);
                throw;
            }
        }
    }

    private async Task RenewStoredAsync(IPersistentState<SessionState> record, TimeSpan unusedFor)
    {
        try
        {
            record.State = session.ToState(activation.UsedAt);
            await record.WriteStateAsync();
        }
        catch (InconsistentStateException fault)
        {
            GiveUp(fault);
        }
        catch (Exception fault)
        {
            // The record is still there. A later call tries again.
            LogMessages.Retried(activation.Logger, activation.Key, 1, LoggedException.Of(fault));
            activation.UsedAt -= unusedFor;
        }
    }

    private void GiveUp(Exception fault)
    {
        HasFailed = true;
        LogMessages.Failed(activation.Logger, activation.Key, LoggedException.Of(fault));
        activation.Leave();
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "Session {SessionKey}: write {Attempt} failed and is tried again")]
        public static partial void Retried(ILogger logger, string sessionKey, int attempt, LoggedException fault);

        [LoggerMessage(2, LogLevel.Error, "Session {SessionKey}: its state could not be written; the activation is given up")]
        public static partial void Failed(ILogger logger, string sessionKey, LoggedException fault);
    }
}
