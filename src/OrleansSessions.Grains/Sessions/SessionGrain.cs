using Microsoft.Extensions.Logging;
using Orleans.Placement;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// One session in its turns. Each call asks <see cref="Session"/>, the rules, and has <see cref="SessionEffects"/> carry out what follows from the change.
/// Placed beside the socket that calls first.
/// </summary>
[GrainType("orleanssessions.session"), PreferLocalPlacement]
internal sealed partial class SessionGrain : Grain, ISessionGrain, IGrainMigrationParticipant
{
    private readonly SessionActivation _activation;
    private readonly Session _session;
    private readonly SessionEffects _effects;
    private readonly ActiveResponder _responder;
    private readonly SessionQuota _quota;
    private readonly SessionAsks _asks;
    private readonly UnaskedStay _stay;
    private readonly LocalSession _local;

    public SessionGrain(
        SessionServices services, SessionStores stores, SocketGatewayOutboxes outboxes, ActiveResponder responder, UnaskedSessions unasked,
        ILogger<SessionGrain> logger)
    {
        _activation = new SessionActivation(this, services, logger);
        _responder = responder;
        _session = new Session(
            services.Options, responder.Registration, responder.Responder.Recovery, new OptionsCheck(responder, _activation.Key, logger).FindFault, services.NewEpoch());
        _quota = new SessionQuota(_activation, _session);
        var store = stores.Create(_activation, _session);
        _effects = new SessionEffects(
            _activation, _session, store, new SubscribedGateways(outboxes, new SessionItems(_activation.Key, logger)), responder,
            _quota);
        _stay = new UnaskedStay(unasked, _activation, () => IsInUse || store.NeedsActivation);
        _asks = new SessionAsks(_activation, _session, _effects, _quota, _stay, outboxes);
        _local = new LocalSession(GrainContext, _session, store, _effects.EndEvictedAsync);
    }

    /// <summary>A session that was never asked and has no subscribed gateway is not worth its memory, so it leaves soon, whatever call woke it.</summary>
    private bool IsInUse => _session.IsKnown || Gateways.HasAny;

    private ISubscribedGateways Gateways => _effects.Gateways;

    private DateTimeOffset Now => _activation.Now;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (await _activation.MovesOnAsync())
        {
            return;
        }

        await _effects.StartAsync(cancellationToken);

        // The last step: an activation that fails is not deactivated, and would stay registered for good.
        _activation.Services.Local.Add(_local);
        _activation.Services.Metrics.SessionActivated();
        LogMessages.Activated(_activation.Logger, _activation.Key, _session.Log.Epoch, _session.Log.Head);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _activation.Services.Local.Remove(_local);
        _local.MoveIfAskedMeanwhile();
        var isSiloStopping = reason.ReasonCode == DeactivationReasonCode.ShuttingDown;
        await _effects.StopAsync(isSiloStopping, isHandedOver: isSiloStopping || _activation.Services.Cluster.IsDraining);
        _stay.End();
        _activation.Services.Metrics.SessionDeactivated();
        LogMessages.Deactivated(_activation.Logger, _activation.Key, reason.ReasonCode);
    }

    void IGrainMigrationParticipant.OnDehydrate(IDehydrationContext dehydrationContext) => SessionActivation.Dehydrate(dehydrationContext);

    void IGrainMigrationParticipant.OnRehydrate(IRehydrationContext rehydrationContext) => _activation.Rehydrate(rehydrationContext);

    public async Task<AttachReply> AttachAsync(AttachRequest request)
    {
        await EnterAsync(request.Gateway);
        Gateways.SetConnections(request.Gateway, request.Connections, request.Version);
        if (request.BasicConnection is { } connection)
        {
            _session.Orphans.Outrank(connection);
        }

        LogMessages.Connected(_activation.Logger, _activation.Key, request.Gateway, request.Connections);
        return EndCall(new AttachReply
        {
            Epoch = _session.Log.Epoch,
            Seq = _session.Log.VisibleHead,
            Open = _session.View.OpenQuestions(Now),
            Snapshot = request.WantsSnapshot ? _session.View.Running(Now) : null,
            Responder = _responder.Name,
            IsStored = _effects.IsStored,
            OldestSeq = _session.OldestSeq,
            Retention = _activation.Options.Retention,
        });
    }

    public Task DetachAsync(DetachRequest request)
    {
        if (request.Connection is { } connection)
        {
            _session.Orphans.Forget(connection);
        }

        var hadGateways = Gateways.HasAny;
        Gateways.SetConnections(request.Gateway, request.Connections, request.Version);
        LogMessages.Connected(_activation.Logger, _activation.Key, request.Gateway, request.Connections);
        if (hadGateways && !IsInUse)
        {
            _stay.WaitForClient();
        }

        EndCall();
        return Task.CompletedTask;
    }

    public async Task<LogPiece> ReadLogAsync(ReadLogRequest request)
    {
        await EnterAsync(null);
        await _effects.LoadOlderAsync(isNeeded: request.Epoch == _session.Log.Epoch && request.AfterSeq + 1 < _session.Log.OldestSeq);
        var piece = _session.View.ReadLog(request.Epoch, request.AfterSeq, request.MaxBytes, Now);
        if (request.Gateway is { } gateway && piece.IsAtHead)
        {
            Gateways.Subscribe(_session.Log, gateway);
            Gateways.SetConnections(gateway, request.Connections, request.Version);
            Gateways.Announce(_session.Log, gateway);
        }

        return EndCall(piece);
    }

    public Task<bool> CanAcceptQuestionAsync(CanAcceptQuestionRequest request) =>
        Task.FromResult(EndCall(!_session.HasOpenQuestion && !_effects.IsBusyWriting));

    public async Task<AskReply> AskAsync(AskRequest request)
    {
        await EnterAsync(request.Gateway, request.QuestionId);
        if (!_session.HasOpenQuestion)
        {
            // Deadlines follow the monotonic clock, so the wall clock is read only while there are none.
            _activation.Clock.Set();
        }

        _activation.UsedAt = Now;
        Gateways.Announce(_session.Log, request.Gateway);
        try
        {
            var reply = await _asks.AskAsync(request);
            _activation.Services.Metrics.Asked(reply.Outcome);
            return EndCall(reply);
        }
        catch (Exception)
        {
            // A session that was never asked must not stay for it.
            EndCall();
            throw;
        }
    }

    public async Task<CancelReply> CancelAsync(CancelRequest request)
    {
        // The responder stops at once, whatever waits to be written.
        var isOpen = request.QuestionId is { } id ? _session.IsOpen(id) : _effects.IsUnderWay(null);
        await EnterAsync(null, request.QuestionId, settles: !isOpen);
        var reply = _session.Cancel(request.QuestionId, Now);
        await _effects.ApplyAsync();
        return EndCall(reply);
    }

    public async Task<AnswerReply> AnswerAsync(AnswerRequest request)
    {
        await EnterAsync(null, request.QuestionId, settles: !_effects.IsUnderWay(request.QuestionId));
        var reply = _session.Answer(request, Gateways.HasAny, Now);
        await _effects.ApplyAsync();
        return EndCall(reply);
    }

    public async Task<SessionDescription?> DescribeAsync(DescribeRequest request)
    {
        await EnterAsync(null);
        SessionDescription? description = null;
        if (IsInUse)
        {
            var isOpen = _session.HasOpenQuestion || Gateways.HasAny;
            var expiresAt = _activation.UsedAt + _activation.Options.Retention;
            description = _session.View.Whole(Gateways.Connections, isOpen ? null : expiresAt, Now);
        }

        if (request.IsGlance)
        {
            _stay.EndCall();
            return description;
        }

        return EndCall(description);
    }

    public async Task<QuestionDescription?> GetQuestionAsync(GetQuestionRequest request)
    {
        await _effects.SettleAsync(request.QuestionId);
        return EndCall(_session.View.Question(request.QuestionId, Now));
    }

    public async Task<IReadOnlyList<QuestionDescription>> ListQuestionsAsync(ListQuestionsRequest request)
    {
        await _effects.SettleAsync();
        await _effects.LoadOlderAsync(isNeeded: request.Limit > _session.Ended.All.Count + _session.OpenCount);
        return EndCall(_session.View.Last(request.Limit, Now));
    }

    public async Task<QuestionDescription?> WaitForEndAsync(WaitForEndRequest request)
    {
        await _effects.WaitForEndAsync(request.QuestionId, request.Patience);
        return await GetQuestionAsync(new() { QuestionId = request.QuestionId });
    }

    public async Task<bool> RemoveAsync(RemoveRequest request)
    {
        // The removal itself is sent to all socket gateways, so a session that wakes for it is not announced first.
        await _effects.SettleAsync();
        var wasThere = IsInUse;
        await _effects.ConfirmStoreAsync(isNeeded: _session.HasOpenQuestion);
        _session.EndAll(Ending.SessionRemoved, Now);
        await _effects.ApplyAsync(Durability.Removed);
        if (wasThere)
        {
            LogMessages.Removed(_activation.Logger, _activation.Key);
        }

        try
        {
            // If this fails, so does the call: the text of a question is in the index, too. A repeated call finds no session, and removes the entry.
            await _quota.ForgetAsync();
        }
        finally
        {
            EndCall();
        }

        return wasThere;
    }

    /// <summary>Every call begins here: writes settle first, the caller's socket gateway is subscribed, and the session is announced once to the others.</summary>
    /// <param name="questionId">The question that the call is about, if it names one.</param>
    /// <param name="settles">False for a call whose reply says nothing of what waits to be written.</param>
    private async ValueTask EnterAsync(string? gateway, string? questionId = null, bool settles = true)
    {
        if (settles)
        {
            await _effects.SettleAsync(questionId);
        }

        await _activation.Services.Standing.CheckAsync();
        if (gateway is not null)
        {
            Gateways.Subscribe(_session.Log, gateway);
        }

        // No one has missed anything of a session that was never asked.
        if (gateway is not null || _session.IsKnown)
        {
            Gateways.Announce(_session.Log, gateway);
        }
    }

    /// <summary>Every call ends here. A session that is only read is remembered as if it had been asked.</summary>
    private void EndCall()
    {
        _stay.EndCall();
        _effects.Renew();
    }

    private T EndCall<T>(T reply)
    {
        EndCall();
        return reply;
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Session {SessionKey} is awake in epoch {Epoch} at {Seq}")]
        public static partial void Activated(ILogger logger, string sessionKey, long epoch, long seq);

        [LoggerMessage(2, LogLevel.Debug, "Session {SessionKey} goes to sleep: {Reason}")]
        public static partial void Deactivated(ILogger logger, string sessionKey, DeactivationReasonCode reason);

        [LoggerMessage(3, LogLevel.Debug, "Session {SessionKey}: socket gateway {Gateway} has {Connections} connections")]
        public static partial void Connected(ILogger logger, string sessionKey, string gateway, int connections);

        [LoggerMessage(4, LogLevel.Information, "Session {SessionKey} removed")]
        public static partial void Removed(ILogger logger, string sessionKey);
    }
}
