using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Protocol;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>How a change is made durable before it becomes visible.</summary>
internal enum Durability
{
    /// <summary>Written, and tried until the store answers. A caller waits, but not for a store that is away.</summary>
    Written = 0,

    /// <summary>Written, and tried until the store answers. No caller waits.</summary>
    WrittenInBackground = 1,

    /// <summary>Not written: the silo is evicted, and there is no store.</summary>
    Unwritten = 2,

    /// <summary>The record is deleted, and the session forgets everything.</summary>
    Removed = 3,
}

/// <summary>
/// Carries out what follows from a change of a session: it is stored, becomes visible, is published, the next question gets its responder, and the timer is
/// set. The parts are private, so nothing can do some of this without the rest: whoever changes the session calls <see cref="ApplyAsync"/> in the same turn.
/// </summary>
internal sealed partial class SessionEffects
{
    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly SessionStore _store;
    private readonly WrittenChanges _changes;
    private readonly SubscribedGateways _gateways;
    private readonly QuestionRunner _runner;
    private readonly DeadlineTimer _timer;
    private readonly EndWaiters _waiters;
    private readonly SessionQuota _quota;
    private bool _hasStopped;

    public SessionEffects(
        SessionActivation activation, Session session, SessionStore store, SubscribedGateways gateways, ActiveResponder responder, SessionQuota quota)
    {
        _activation = activation;
        _session = session;
        _store = store;
        _gateways = gateways;
        _quota = quota;
        _runner = new QuestionRunner(activation, session, responder, () => ApplyAsync(Durability.WrittenInBackground));
        _timer = new DeadlineTimer(activation, EndOverdueAsync);
        _waiters = new EndWaiters(activation.Services.Time);
        _changes = new WrittenChanges(session, store, TryGoOn);
    }

    /// <summary>What calls may do with the subscribed gateways.</summary>
    public ISubscribedGateways Gateways => _gateways;

    /// <summary>True where the session outlives its process.</summary>
    public bool IsStored => _store.IsStored;

    /// <summary>True while nothing can be written, or something waits for that.</summary>
    public bool IsBusyWriting => _store.IsWriting || _store.IsAway;

    /// <summary>True while the running question's responder is at work, or its answer from outside is awaited: nothing before it waits to be written.</summary>
    /// <param name="questionId">The question that runs, or null for whichever does.</param>
    public bool IsUnderWay(string? questionId) =>
        !_store.HasFailed && _session.Running is { } running && _runner.Has(running) && (questionId ?? running.Id) == running.Id;

    /// <summary>Takes up the state that the last activation left, if any, and carries out what follows.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await _store.LoadAsync() is { } saved)
        {
            _session.Restore(saved, _activation.Services.NewEpoch(saved.Record.Epoch), _activation.Now);
        }

        using var end = cancellationToken.Register(_store.EndRetries);
        TakeEnded();
        if (_store.NeedsWrite)
        {
            // If this fails, so does the activation, and the next one finds what is stored. Nothing is lost by that: nothing runs yet.
            await _changes.WriteFirstAsync();
        }

        GoOn();
        _store.WriteBehind();
    }

    /// <summary>Reads the ended questions and events that are not in memory.</summary>
    public async ValueTask LoadOlderAsync(bool isNeeded)
    {
        if (isNeeded)
        {
            await _store.LoadOlderAsync();
            await SettleAsync();
        }
    }

    /// <summary>Waits until nothing is being written, so that a reply holds only what everyone may see.</summary>
    /// <exception cref="StoreUnavailableException">The store is away, and something waits to be written.</exception>
    /// <param name="questionId">A question that must be in memory then, if the session keeps it; null for none.</param>
    public async ValueTask SettleAsync(string? questionId = null)
    {
        await _activation.Services.Standing.CheckAsync();
        await _store.SettleAsync();
        if (questionId is not null && _session.Ended.Pages.MayHold(questionId))
        {
            await _store.LoadOlderAsync();
            await _store.SettleAsync();
        }

        // What this activation holds besides is not stored, so the next one does not know it, and no one may see it.
        if (_store.HasFailed || (_store.NeedsWrite && !_store.IsWriting && !_hasStopped))
        {
            throw SessionActivation.GivenUp();
        }

        // The reply can contain a deadline.
        _runner.TakeSign();
    }

    /// <summary>Carries out all that follows from the changes since the last call. Without a change it does nothing.</summary>
    public ValueTask ApplyAsync(Durability durability = Durability.Written)
    {
        if (_hasStopped)
        {
            return default;
        }

        // In the same turn: a responder must not go on with a question that has ended.
        TakeEnded();
        switch (durability)
        {
            case var _ when _store.HasFailed:
                return durability is Durability.Written or Durability.Removed ? throw SessionActivation.GivenUp() : default;
            case Durability.Written when _store.NeedsWrite:
                return new(_changes.WriteForCallerAsync());
            case Durability.WrittenInBackground when _store.NeedsWrite:
                return new(_changes.WriteAsync());
            case Durability.WrittenInBackground:
                TryGoOn();
                return default;
            case Durability.Unwritten:
                _session.Log.ReleaseTo(_session.Log.Head);
                break;
            case Durability.Removed:
                return new(RemoveAsync());
        }

        GoOn();
        return default;
    }

    /// <summary>Carries out what follows from a question that was admitted. Where it cannot be stored, it was never asked.</summary>
    /// <exception cref="StoreUnavailableException">The store is away. If the write arrives all the same, the question runs, and asked again it is a duplicate.</exception>
    public ValueTask ApplyAskAsync(Question question)
    {
        // What has ended for it cannot be taken back.
        var isUndoable = !TakeEnded() && !_store.HasFailed && _store.NeedsWrite;
        return isUndoable ? _store.WaitForAttemptAsync(_changes.WriteAskAsync(question)) : ApplyAsync();
    }

    /// <summary>Before something ends that cannot be taken back: finds out whether the store takes a write. Nothing becomes visible.</summary>
    /// <param name="isNeeded">False where nothing ends. Then it is enough that the store is not known to be away.</param>
    /// <exception cref="StoreUnavailableException">It is away.</exception>
    public async ValueTask ConfirmStoreAsync(bool isNeeded)
    {
        _store.ThrowIfAway();
        if (isNeeded && _store.IsStored && _session.IsKnown && !_hasStopped)
        {
            await _store.WaitForAttemptAsync(_changes.ConfirmAsync());
            await SettleAsync();
        }
    }

    /// <summary>
    /// The silo is no longer a member of its cluster, so another one may hold this session already. Without a store what is open ends here, without a write. With
    /// one it goes on there, and nothing more may be seen of it here.
    /// </summary>
    public async Task EndEvictedAsync()
    {
        if (_store.IsStored)
        {
            await EndWorkAsync();
        }
        else if (_session.HasOpenQuestion)
        {
            _session.EndAll(Ending.SiloEvicted, _activation.Now);
            await ApplyAsync(Durability.Unwritten);
        }
    }

    /// <summary>Waits until an open question has ended, or until the patience is over.</summary>
    public Task WaitForEndAsync(string questionId, TimeSpan patience) =>
        _session.IsOpen(questionId) ? _waiters.WaitAsync(questionId, patience) : Task.CompletedTask;

    /// <summary>The session was read. Its record and its place in the index must live on even if nothing else is written for long.</summary>
    public void Renew()
    {
        if (_store.Renew())
        {
            _quota.NoteUsed();
        }
    }

    /// <summary>The activation leaves: the responder stops, nothing more follows from any change, and the state is kept for the next activation.</summary>
    /// <param name="isSiloStopping">True where the silo no longer sends, so that the subscribed gateways are not informed. They learn of it from the membership.</param>
    /// <param name="isHandedOver">True where the process stops in order: what is open goes on elsewhere, and its attempt does not count.</param>
    public async Task StopAsync(bool isSiloStopping, bool isHandedOver)
    {
        await EndWorkAsync();
        await _store.StopAsync(isHandedOver);
        _store.Dispose();
        if (!isSiloStopping)
        {
            _gateways.PublishLast();
        }
    }

    private async Task EndWorkAsync()
    {
        _hasStopped = true;
        _timer.Dispose();
        _waiters.CompleteAll();
        _quota.ReportOpen(0, 0);
        await _runner.StopAsync();
    }

    private async Task RemoveAsync()
    {
        var log = _session.Log;
        await _store.ForgetAsync();
        log.ReleaseTo(log.Head);
        _gateways.Publish();
        _gateways.PublishRemoval(log);
        _session.Clear(_activation.Services.NewEpoch(log.Epoch));
        GoOn();
    }

    /// <summary>No caller would see a fault, so one gives the activation up: the next one recovers what is open.</summary>
    private void TryGoOn()
    {
        try
        {
            GoOn();
        }
        catch (Exception fault)
        {
            LogMessages.Failed(_activation.Logger, _activation.Key, LoggedException.Of(fault));
            _activation.Leave();
        }
    }

    /// <summary>
    /// What needs no write, or follows it. While something is being written nothing more becomes visible, and no question starts: what gathers meanwhile is
    /// shown after the write.
    /// </summary>
    private void GoOn()
    {
        var isWritten = !_store.IsWriting && !_store.NeedsWrite;
        if (isWritten)
        {
            _session.Log.ReleaseTo(_session.Log.Head);
        }
        else if (_store.IsWaiting)
        {
            _session.Log.ReleaseDeltas();
        }

        _gateways.Publish();
        if (_hasStopped)
        {
            return;
        }

        if (isWritten)
        {
            _runner.Run(_session.Running);
        }

        _store.PlanCheckpoint();
        _quota.ReportOpen(_session.HasOpenQuestion ? 1 : 0, _session.Waiting.Count);

        // What waits to be written, or to be taken back, would be lost with the activation, so the timer keeps it alive.
        _timer.Set(_session.NextLook(_activation.Now) ?? (_store.NeedsActivation ? DateTimeOffset.MaxValue : null));
    }

    private async Task EndOverdueAsync()
    {
        // In this order: a sign that came before this time saves its question, though it is read only now.
        var now = _activation.Now;
        _runner.TakeSign();
        _session.EndOverdue(now);
        await ApplyAsync(Durability.WrittenInBackground);
    }

    /// <summary>True if any question has ended.</summary>
    private bool TakeEnded()
    {
        var hasEnded = false;
        while (_session.TakeNextEnded() is { } question)
        {
            OnEnded(question);
            hasEnded = true;
        }

        return hasEnded;
    }

    private void OnEnded(Question question)
    {
        _runner.OnEnded(question);
        _waiters.Complete(question.Id);
        _activation.Services.Metrics.QuestionEnded(question.End!, question.Usage);
        LogMessages.Ended(_activation.Logger, _activation.Key, question.Id, question.Status, question.End!.Reason);
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} ended {Status} ({Reason})")]
        public static partial void Ended(ILogger logger, string sessionKey, string questionId, QuestionStatus status, string? reason);

        [LoggerMessage(2, LogLevel.Error, "Session {SessionKey}: what follows a change failed; the activation is given up")]
        public static partial void Failed(ILogger logger, string sessionKey, LoggedException fault);
    }
}
