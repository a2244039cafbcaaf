using Orleans.Storage;
using OrleansSessions.Diagnostics;

namespace OrleansSessions.Grains.Sessions;

// Storing, making visible, publishing: always in this order.
internal sealed partial class SessionGrain
{
    private const int StoreAttempts = 3;

    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromMilliseconds(250);

    private Task _store = Task.CompletedTask;
    private int _stores;

    private bool IsStoring => _stores > 0;

    /// <summary>
    /// Makes the log's head visible and publishes it; with a store, only after its write. A write that fails deactivates the grain:
    /// the store is the truth, and what was not written was never seen.
    /// </summary>
    private ValueTask CommitAsync()
    {
        if (_stored is not null)
        {
            return new(_store = StoreAsync(_stored, 1));
        }

        _session.Log.ReleaseTo(_session.Log.Head);
        _publisher.Publish();
        return default;
    }

    /// <summary>The same where no caller waits: a write is tried again before it is given up, and the next question runs after it.</summary>
    private async Task CommitInBackgroundAsync()
    {
        try
        {
            await (_stored is null ? CommitAsync() : new(_store = StoreAsync(_stored, StoreAttempts)));
        }
        catch (Exception)
        {
            // Logged, and the grain is on its way out; the next activation finds the question open and ends it.
            return;
        }

        try
        {
            RunNext();
        }
        catch (Exception fault)
        {
            LogMessages.CommitFailed(_logger, _key, LoggedException.Of(fault));
            DeactivateOnIdle();
        }
    }

    private async Task StoreAsync(IPersistentState<SessionState> stored, int attempts)
    {
        var log = _session.Log;
        var head = log.Head;
        _stores++;
        try
        {
            await WriteAsync(stored, attempts);
        }
        finally
        {
            _stores--;
        }

        // What was appended meanwhile and needs no write of its own becomes visible with it.
        log.ReleaseTo(IsStoring ? head : log.Head);
        _publisher.Publish();
    }

    private async Task WriteAsync(IPersistentState<SessionState> stored, int attempts)
    {
        for (var attempt = 1; ; attempt++)
        {
            _services.Eviction.ThrowIfEvicted();
            try
            {
                stored.State = _session.ToState(_usedAt);
                await stored.WriteStateAsync();
                return;
            }
            catch (Exception fault) when (fault is not InconsistentStateException && attempt < attempts)
            {
                LogMessages.StoreRetried(_logger, _key, attempt, LoggedException.Of(fault));
                await Task.Delay(StoreRetryDelay, _services.Time);
            }
            catch (Exception fault)
            {
                LogMessages.StoreFailed(_logger, _key, LoggedException.Of(fault));
                DeactivateOnIdle();
                throw;
            }
        }
    }

    /// <summary>
    /// Reading is using, too. A store forgets a record some time after its last write, and the next write of an activation that outlived it would fail:
    /// so the record is written again long before, without any visible effect. An open question needs none of this: its end is written.
    /// </summary>
    private void Renew()
    {
        var unusedFor = Now - _usedAt;
        if (unusedFor < _services.Options.Retention / 2 || !_session.IsKnown || _session.HasOpenQuestion || IsStoring)
        {
            return;
        }

        _usedAt += unusedFor;
        if (_stored is not null && !_services.Eviction.IsEvicted)
        {
            _store = RenewStoredAsync(_stored, unusedFor);
        }
    }

    private async Task RenewStoredAsync(IPersistentState<SessionState> stored, TimeSpan unusedFor)
    {
        try
        {
            stored.State = _session.ToState(_usedAt);
            await stored.WriteStateAsync();
        }
        catch (InconsistentStateException fault)
        {
            LogMessages.StoreFailed(_logger, _key, LoggedException.Of(fault));
            DeactivateOnIdle();
        }
        catch (Exception fault)
        {
            // The record is still there. A later call tries again.
            LogMessages.StoreRetried(_logger, _key, 1, LoggedException.Of(fault));
            _usedAt -= unusedFor;
        }
    }

    /// <summary>A clearing that fails leaves the store as it was, and so must this activation: it goes, and the next one takes up the store.</summary>
    private async Task ForgetStoredAsync(IPersistentState<SessionState> stored)
    {
        try
        {
            await stored.ClearStateAsync();
        }
        catch (Exception fault)
        {
            LogMessages.StoreFailed(_logger, _key, LoggedException.Of(fault));
            DeactivateOnIdle();
            throw;
        }
    }

    /// <summary>Waits until nothing is being written, so that a reply holds only what everyone may see.</summary>
    private async ValueTask SettleAsync()
    {
        while (!_store.IsCompleted)
        {
            await _store.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>Text is shown at once, unless something before it still waits for its write.</summary>
    private void ShowText()
    {
        if (!IsStoring)
        {
            _session.Log.ReleaseTo(_session.Log.Head);
            _publisher.Publish();
        }
    }
}
