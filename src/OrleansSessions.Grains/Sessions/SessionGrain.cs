using Microsoft.Extensions.Logging;
using Orleans.Placement;
using OrleansSessions.Grains.Log;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// One session in its turns. Each call asks <see cref="Session"/>, the rules; what that changed is stored, made visible, published
/// (<see cref="CommitAsync"/>), and the next question, if one is open, gets its responder. Placed beside the socket that calls first.
/// </summary>
[GrainType("orleanssessions.session"), PreferLocalPlacement]
internal sealed partial class SessionGrain : Grain, ISessionGrain
{
    private readonly SessionServices _services;
    private readonly ILogger<SessionGrain> _logger;
    private readonly IPersistentState<SessionState>? _stored;
    private readonly Session _session;
    private readonly SessionPublisher _publisher;
    private readonly string _key;
    private SessionClock _clock;
    private DateTimeOffset _usedAt;
    private UnaskedSessions.Stay? _stay;

    public SessionGrain(SessionServices services, IPersistentStateFactory states, IGrainContext context, ILogger<SessionGrain> logger)
    {
        _services = services;
        _logger = logger;
        _key = context.GrainId.Key.ToString()!;
        _clock = new SessionClock(services.Time);
        _publisher = new SessionPublisher(_key, services.Outboxes, logger);
        _session = new Session(services.Options, services.Responder.Registration, services.NewEpoch());
        _session.QuestionEnded += OnQuestionEnded;
        if (services.IsStored)
        {
            _stored = states.Create<SessionState>(context, new PersistentStateAttribute("session", SessionsOptions.StorageName));
        }
    }

    private DateTimeOffset Now => _clock.Now;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _services.Eviction.ThrowIfEvicted();
        _usedAt = Now;
        var state = _stored is null ? _services.Parked.Take(_key) : _stored.State;
        if (state is { Epoch: > 0 })
        {
            _session.Restore(state, _services.NewEpoch(state.Epoch), Now);
            _usedAt = state.UsedAt;
            if (state.HasOpenQuestion)
            {
                await CommitAsync();
                RunNext();
            }
        }

        FollowEviction();
        _services.Metrics.SessionActivated();
        LogMessages.Activated(_logger, _key, _session.Log.Epoch, _session.Log.Head);
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _eviction.DisposeAsync();
        await StopRunsAsync();
        if (_stored is null && _session.IsKnown)
        {
            _services.Parked.Park(_key, _session.ToState(_usedAt), Now - _usedAt);
        }

        if (reason.ReasonCode != DeactivationReasonCode.ShuttingDown)
        {
            // A silo that stops no longer sends; its socket gateways learn of it from the membership.
            _publisher.PublishLast();
        }

        EndStay();
        ReportWaiting(0, 0);
        _services.Metrics.SessionDeactivated();
        LogMessages.Deactivated(_logger, _key, reason.ReasonCode);
    }

    public async Task<AttachReply> AttachAsync(AttachRequest request)
    {
        await EnterAsync(request.Gateway);
        _publisher.Count(request.Gateway, request.Connections, request.Version);
        if (request.BasicConnection is { } connection)
        {
            _session.Outrank(connection);
        }

        LogMessages.Attached(_logger, _key, request.Gateway, request.Connections);
        return EndCall(new AttachReply
        {
            Epoch = _session.Log.Epoch,
            Seq = _session.Log.VisibleHead,
            Open = _session.OpenQuestions(Now),
            Snapshot = request.WantsSnapshot ? _session.OpenSnapshot(Now) : null,
            Responder = _services.Responder.Name,
        });
    }

    public Task DetachAsync(DetachRequest request)
    {
        if (request.Connection is { } connection)
        {
            _session.ForgetConnection(connection);
        }

        var hadFollowers = _publisher.HasFollowers;
        _publisher.Count(request.Gateway, request.Connections, request.Version);
        LogMessages.Detached(_logger, _key, request.Gateway, request.Connections);
        if (hadFollowers && !_publisher.HasFollowers && !_session.IsKnown)
        {
            BeginStay();
        }

        EndCall();
        return Task.CompletedTask;
    }

    public async Task<LogPiece> ReadLogAsync(ReadLogRequest request)
    {
        await EnterAsync(null);
        var piece = _session.ReadLog(request.Epoch, request.AfterSeq, request.MaxBytes, Now);
        if (request.Gateway is { } gateway && piece.IsAtHead)
        {
            _publisher.Attach(_session.Log, gateway);
            _publisher.Count(gateway, request.Connections, request.Version);
            _publisher.Announce(_session.Log, gateway);
        }

        return EndCall(piece);
    }

    public Task<bool> CanAcceptQuestionAsync(CanAcceptQuestionRequest request) => Task.FromResult(EndCall(!_session.HasOpenQuestion && !IsStoring));

    public async Task<AskReply> AskAsync(AskRequest request)
    {
        await EnterAsync(request.Gateway);
        SetClock();
        _usedAt = Now;
        _publisher.Announce(_session.Log, request.Gateway);
        var reply = _session.Ask(request, Now, IsOrphaned);
        _services.Metrics.Asked(reply.Outcome);
        if (reply.Outcome == AskOutcome.Accepted)
        {
            LogMessages.Accepted(_logger, _key, reply.QuestionId, reply.Position);
            await CommitAsync();
            RunNext();
        }
        else
        {
            LogMessages.NotAccepted(_logger, _key, reply.QuestionId, reply.Outcome);
        }

        return EndCall(reply);
    }

    public async Task<CancelReply> CancelAsync(CancelRequest request)
    {
        await EnterAsync(null);
        var reply = _session.Cancel(request.QuestionId, Now);
        if (reply.Outcome == CancelOutcome.Cancelling)
        {
            await CommitAsync();
            RunNext();
        }

        return EndCall(reply);
    }

    public async Task<AnswerReply> AnswerAsync(AnswerRequest request)
    {
        await EnterAsync(null);
        var running = _session.Running;
        var reply = _session.Answer(request, _publisher.HasFollowers, Now);
        if (!ReferenceEquals(running, _session.Running))
        {
            await CommitAsync();
            RunNext();
        }
        else
        {
            ShowText();
        }

        return EndCall(reply);
    }

    public async Task<SessionDescription?> DescribeAsync(DescribeRequest request)
    {
        await EnterAsync(null);
        if (!_session.IsKnown && !_publisher.HasFollowers)
        {
            return EndCall<SessionDescription?>(null);
        }

        var isInUse = _session.HasOpenQuestion || _publisher.HasFollowers;
        return EndCall(_session.DescribeSession(_publisher.Connections, isInUse ? null : _usedAt + _services.Options.Retention, Now));
    }

    public async Task<QuestionDescription?> GetQuestionAsync(GetQuestionRequest request)
    {
        await SettleAsync();
        return EndCall(_session.DescribeQuestion(request.QuestionId, Now));
    }

    public async Task<IReadOnlyList<QuestionDescription>> ListQuestionsAsync(ListQuestionsRequest request)
    {
        await SettleAsync();
        return EndCall(_session.DescribeLast(request.Limit, Now));
    }

    public async Task<bool> RemoveAsync(RemoveRequest request)
    {
        // Whoever follows is told of the removal itself, so a waking session is not announced first.
        await SettleAsync();
        _services.Eviction.ThrowIfEvicted();
        var wasThere = _session.IsKnown || _publisher.HasFollowers;
        _session.EndAll(DoneReasons.SessionRemoved, Now);
        if (_stored is not null)
        {
            await ForgetStoredAsync(_stored);
        }

        _session.Log.ReleaseTo(_session.Log.Head);
        _publisher.Publish();
        _publisher.PublishRemoval(_session.Log);
        _session.Clear(_services.NewEpoch(_session.Log.Epoch));
        if (wasThere)
        {
            LogMessages.Removed(_logger, _key);
        }

        return EndCall(wasThere);
    }

    /// <summary>Every call's beginning: what is being stored settles first, the caller's socket gateway follows from here on, and the others are told once.</summary>
    private async ValueTask EnterAsync(string? gateway)
    {
        await SettleAsync();
        _services.Eviction.ThrowIfEvicted();
        if (gateway is not null)
        {
            _publisher.Attach(_session.Log, gateway);
        }

        // No one has missed anything of a session that was never asked.
        if (gateway is not null || _session.IsKnown)
        {
            _publisher.Announce(_session.Log, gateway);
        }
    }

    private bool IsOrphaned(Question question) =>
        question.IsOrphanable && (question.IsConnectionGone || (question.Gateway is { } gateway && !_services.Outboxes.IsLive(gateway)));

    /// <summary>
    /// Every call's end. A session that was never asked and that no one follows is not worth its memory, whatever call woke it;
    /// one that is only read is remembered as if it had been asked.
    /// </summary>
    private void EndCall()
    {
        if (_session.IsKnown || _publisher.HasFollowers)
        {
            EndStay();
            Renew();
        }
        else if (_stay is null)
        {
            DeactivateOnIdle();
        }
    }

    private T EndCall<T>(T reply)
    {
        EndCall();
        return reply;
    }

    /// <summary>Its last socket has gone, but a client that comes back soon must find the epoch that it was told.</summary>
    private void BeginStay()
    {
        var scheduler = GrainContext.Scheduler;
        _stay ??= _services.Unasked.Keep(stay => scheduler.QueueAction(() => EndStay(stay)));
    }

    /// <summary>Its time is over. A client may have come back and gone again meanwhile: that began another stay, which goes on.</summary>
    private void EndStay(UnaskedSessions.Stay stay)
    {
        if (_stay == stay)
        {
            EndStay();
            EndCall();
        }
    }

    private void EndStay()
    {
        if (_stay is { } stay)
        {
            _stay = null;
            _services.Unasked.Release(stay);
        }
    }
}
