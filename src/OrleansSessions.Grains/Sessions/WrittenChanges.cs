using OrleansSessions.Grains.Questions;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Writes the changes of one session, and then makes them visible.</summary>
internal sealed class WrittenChanges
{
    private readonly Session _session;
    private readonly SessionStore _store;
    private readonly Action _tryGoOn;

    /// <param name="tryGoOn">Carries out what follows a write. Never throws, because no caller would see it.</param>
    public WrittenChanges(Session session, SessionStore store, Action tryGoOn)
    {
        (_session, _store, _tryGoOn) = (session, store, tryGoOn);
        store.OnWaiting(tryGoOn);
    }

    /// <summary>Writes until that succeeds. The caller waits, but not for a store that is away.</summary>
    /// <exception cref="StoreUnavailableException">The store is away. The write goes on.</exception>
    public async Task WriteForCallerAsync()
    {
        await _store.WaitAsync(WriteAsync());
        if (_store.HasFailed)
        {
            throw SessionActivation.GivenUp();
        }
    }

    /// <summary>Writes until that succeeds. Never throws.</summary>
    public async Task WriteAsync()
    {
        try
        {
            var write = WriteOnceAsync(tryUndo: null);
            if (_store.IsWaiting)
            {
                // It waits behind another write, but the text before it does not.
                _tryGoOn();
            }

            await write;
        }
        catch (Exception)
        {
            // Logged, and the activation is on its way out; the next one finds the question open and recovers it.
            return;
        }

        _tryGoOn();
        _store.WriteBehind();
    }

    /// <summary>Writes a question that was admitted, or takes it back.</summary>
    /// <exception cref="StoreUnavailableException">It was taken back, unless it has ended meanwhile.</exception>
    public async Task WriteAskAsync(Question question)
    {
        try
        {
            await WriteOnceAsync(() => _session.TryWithdraw(question));
        }
        catch (StoreUnavailableException)
        {
            _tryGoOn();
            throw;
        }

        // Its caller can have left meanwhile, and would not see a fault.
        _tryGoOn();
        _store.WriteBehind();
    }

    /// <summary>Writes the session as it is.</summary>
    /// <exception cref="StoreUnavailableException">The store does not take it.</exception>
    public async Task ConfirmAsync()
    {
        try
        {
            await WriteOnceAsync(static () => true);
        }
        finally
        {
            _tryGoOn();
        }
    }

    /// <summary>Writes what the start of an activation has changed. If that fails, the activation writes nothing more.</summary>
    public Task WriteFirstAsync() => WriteOnceAsync(() =>
    {
        _store.EndRetries();
        return true;
    });

    /// <inheritdoc cref="SessionWrites.WriteAsync"/>
    private async Task WriteOnceAsync(Func<bool>? tryUndo)
    {
        var log = _session.Log;
        log.ReleaseTo(await _store.WriteAsync(tryUndo));
    }
}
