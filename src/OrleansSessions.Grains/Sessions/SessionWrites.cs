using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.States;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The writes of one stored session, one after the other. A write that fails because the store is away is tried again once it is back, or undone. One that
/// fails for good gives the activation up: the store is the truth, and what was not written was never seen.
/// </summary>
internal sealed partial class SessionWrites(SessionActivation activation, Session session, StoredSession stored, StoreWatch watch) : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    private Task _last = Task.CompletedTask;
    private Task _queue = Task.CompletedTask;
    private CancellationTokenSource? _stopping;
    private bool _isStopping;
    private int _pending;

    /// <summary>Called when a write begins to wait for the store.</summary>
    public Action OnWaiting { get; set; } = static () => { };

    /// <summary>True while something waits to be written, and nothing newer that needs a write may become visible.</summary>
    public bool IsWriting => _pending > 0;

    /// <summary>True while all writes wait for the store. None is under way.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>True once a write has failed for good: nothing more of this activation is written or becomes visible.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>True while nothing is written, and nothing waits.</summary>
    public bool IsIdle => _queue.IsCompleted;

    /// <summary>True while steps that no caller waits for may be begun.</summary>
    private bool MayWrite => !HasFailed && !activation.Services.Eviction.IsEvicted;

    /// <summary>Waits until nothing is being written.</summary>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async ValueTask SettleAsync()
    {
        while (!_last.IsCompleted)
        {
            await watch.WaitAsync(_last);
        }
    }

    /// <summary>Waits until all has ended, also what no caller waits for.</summary>
    public ConfiguredTaskAwaitable UntilEnd() => _queue.UntilEnd();

    /// <summary>Writes the session.</summary>
    /// <param name="tryUndo">
    /// Called if the write fails because the store is away: true if the change was undone, and the caller gets the fault. Else the write is tried until it succeeds.
    /// </param>
    /// <returns>The head of the log that is in the store now.</returns>
    public Task<long> WriteAsync(Func<bool>? tryUndo = null)
    {
        _pending++;
        session.Log.MarkTaken();
        var write = WriteAfterAsync(_queue, tryUndo);
        (_last, _queue) = (write, write);
        return write;
    }

    /// <summary>Deletes the session, after what is being written.</summary>
    public Task ForgetAsync()
    {
        // What is deleted needs no write of its own.
        session.Log.MarkTaken();
        _pending++;
        var forget = ForgetAfterAsync(_queue);
        (_last, _queue) = (forget, forget);
        return forget;
    }

    /// <summary>Moves ended questions out of the record, after a write and before the next one. What follows a later write waits for that.</summary>
    public void WriteBehind()
    {
        if (stored.NeedsPage && IsIdle && MayWrite)
        {
            _queue = stored.WritePageAsync();
        }
    }

    /// <summary>Writes the record again, without any visible effect.</summary>
    /// <param name="onFailed">Called if that failed.</param>
    public void Renew(Action onFailed)
    {
        if (MayWrite)
        {
            _last = _queue = RenewAsync(onFailed);
        }
    }

    /// <summary>
    /// After something was undone, the store can have it all the same: an activation that comes later would find it. It is removed there once the store is back.
    /// </summary>
    public void Reconcile()
    {
        if (stored.IsUncertain)
        {
            _queue = ReconcileAsync(_queue);
        }
    }

    /// <summary>What fails from now on is not tried again. Nothing but the wait before a retry follows the token, so nothing else runs in here.</summary>
    public void EndRetries()
    {
        _isStopping = true;
        _stopping?.Cancel();
    }

    public void Dispose() => _stopping?.Dispose();

    private async Task<long> WriteAfterAsync(Task previous, Func<bool>? tryUndo)
    {
        var isUndone = false;
        try
        {
            await previous.UntilEnd();
            if (HasFailed)
            {
                throw SessionActivation.GivenUp();
            }

            return await WriteUntilItSucceedsAsync(() => isUndone = tryUndo?.Invoke() ?? false);
        }
        catch (Exception) when (!isUndone)
        {
            session.Log.MarkNotTaken();
            throw;
        }
        finally
        {
            _pending--;
        }
    }

    private async Task<long> WriteUntilItSucceedsAsync(Func<bool> tryUndo)
    {
        var delay = FirstRetry;
        for (var attempt = 1; ; attempt++)
        {
            activation.Services.Eviction.ThrowIfEvicted();
            try
            {
                return await stored.WriteAsync();
            }
            catch (StoreUnavailableException fault)
            {
                // Only the first time: what was not undone then is written once the store is back.
                if (attempt == 1 && tryUndo())
                {
                    Reconcile();
                    throw;
                }

                LogMessages.Retried(activation.Logger, activation.Key, attempt, LoggedException.Of(fault));
                if (_isStopping)
                {
                    throw;
                }
            }
            catch (Exception fault)
            {
                GiveUp(fault);
                throw;
            }

            await WaitAsync(delay);
            delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
        }
    }

    private async Task WaitAsync(TimeSpan atLeast)
    {
        IsWaiting = true;
        OnWaiting();
        try
        {
            _stopping ??= new();
            await watch.UntilBackAsync(atLeast, _stopping.Token);
        }
        finally
        {
            IsWaiting = false;
        }
    }

    private async Task ForgetAfterAsync(Task previous)
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

    private async Task RenewAsync(Action onFailed)
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
            LogMessages.NotRenewed(activation.Logger, activation.Key, LoggedException.Of(fault));
            onFailed();
        }
    }

    private async Task ReconcileAsync(Task previous)
    {
        await previous.UntilEnd();
        for (var delay = FirstRetry; stored.IsUncertain && !_isStopping && MayWrite; delay = delay * 2 < LastRetry ? delay * 2 : LastRetry)
        {
            try
            {
                await WaitAsync(delay);
                if (stored.IsUncertain)
                {
                    await stored.ReconcileAsync();
                }
            }
            catch (InconsistentStateException fault)
            {
                GiveUp(fault);
            }
            catch (Exception fault)
            {
                LogMessages.NotRenewed(activation.Logger, activation.Key, LoggedException.Of(fault));
            }
        }
    }

    private void GiveUp(Exception fault)
    {
        HasFailed = true;
        if (fault is not StoreUnavailableException)
        {
            LogMessages.Failed(activation.Logger, activation.Key, LoggedException.Of(fault));
        }

        activation.Leave();
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Session {SessionKey}: write {Attempt} failed and is tried again when the store is back")]
        public static partial void Retried(ILogger logger, string sessionKey, int attempt, LoggedException fault);

        [LoggerMessage(2, LogLevel.Error, "Session {SessionKey}: its state could not be written; the activation is given up")]
        public static partial void Failed(ILogger logger, string sessionKey, LoggedException fault);

        [LoggerMessage(3, LogLevel.Debug, "Session {SessionKey}: its record could not be written again; that is tried later")]
        public static partial void NotRenewed(ILogger logger, string sessionKey, LoggedException fault);
    }
}
