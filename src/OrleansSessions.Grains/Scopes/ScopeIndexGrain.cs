using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Storage;
using OrleansSessions.Diagnostics;
using OrleansSessions.Grains.States;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Scopes;

/// <summary>
/// Keeps one scope's index. A new entry is written before its session accepts a question, so that an erasure finds it. Other changes are written some time
/// later: what a crash takes with it is the time of a session's last question. Without a store the index stays in memory as long as its sessions can.
/// </summary>
[GrainType("orleanssessions.scopeindex"), PreferLocalPlacement]
internal sealed partial class ScopeIndexGrain : Grain, IScopeIndexGrain
{
    /// <summary>The time from a change to its write, so that a busy scope writes at most so often.</summary>
    private static readonly TimeSpan WriteDelay = TimeSpan.FromSeconds(2);

    /// <summary>Longer than any process lives. Orleans adds it to the time, which has an end.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(3_650);

    private readonly ScopeIndex _index;
    private readonly IPersistentState<ScopeIndexState>? _stored;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private IGrainTimer? _timer;
    private long _seenChanges;
    private bool _isChanged;
    private bool _isLost;
    private bool _hasFailed;
    private bool _isLeaving;

    public ScopeIndexGrain(
        IOptions<ScopeLimitsOptions> limits, IOptions<SessionsOptions> sessions, StoredStates states,
        [FromKeyedServices(TimeProviderNames.Grains)] TimeProvider time, ILogger<ScopeIndexGrain> logger)
    {
        (_time, _logger) = (time, logger);
        _index = new(limits.Value.MaxSessionsPerScope, sessions.Value.Retention);
        _stored = states.Create<ScopeIndexState>(GrainContext, "scopeindex");
    }

    private DateTimeOffset Now => _time.GetUtcNow();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _index.Load(_stored?.State.Sessions ?? []);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isLeaving = true;
        return WriteAsync();
    }

    public async Task<AddSessionReply> AddAsync(AddSessionRequest request)
    {
        var isAdded = _index.TryAdd(request.Session, Now);
        NoteChanges();
        if (isAdded)
        {
            // If this fails, the timer tries again: a store that is down is no reason to refuse a question.
            await WriteAsync();
            ThrowIfLost();
        }

        return new() { IsAdded = isAdded };
    }

    public Task TouchAsync(TouchSessionsRequest request)
    {
        var now = Now;
        foreach (var session in request.Sessions)
        {
            _index.Touch(session, now);
        }

        NoteChanges();
        return Task.CompletedTask;
    }

    public async Task RemoveAsync(RemoveSessionsRequest request)
    {
        _index.Remove(request, Now);
        NoteChanges();
        if (request.IsDurable)
        {
            await WriteAsync();
            ThrowIfLost();
            if (_isChanged)
            {
                throw new StoreUnavailableException();
            }
        }
    }

    public Task<SessionList> ListAsync(ListSessionsRequest request) => Task.FromResult(_index.List(request));

    public async Task<EraseIndexReply> EraseAsync(EraseIndexRequest request)
    {
        if (_index.Count > 0)
        {
            return new() { IsErased = false };
        }

        OnChanged();
        if (_stored is not null)
        {
            // The caller must know that nothing is left. If this fails, the timer tries again, and so can the caller.
            await _stored.ClearStateAsync();
            _isChanged = false;
        }

        return new() { IsErased = true };
    }

    private void NoteChanges()
    {
        if (_index.Changes != _seenChanges)
        {
            _seenChanges = _index.Changes;
            OnChanged();
        }
    }

    private void OnChanged()
    {
        if (_stored is null)
        {
            // The sessions are in memory as well, where they are forgotten after that time.
            var left = _index.DropUnused(Now);
            DelayDeactivation(left < MaxDelay ? left : Timeout.InfiniteTimeSpan);
        }
        else if (!_isChanged)
        {
            _isChanged = true;
            PlanWrite();
        }
    }

    private void PlanWrite()
    {
        if (_timer is null)
        {
            _timer = this.RegisterGrainTimer(
                static grain => grain.WriteAsync(), this, new() { DueTime = WriteDelay, Period = Timeout.InfiniteTimeSpan, KeepAlive = true });
        }
        else
        {
            _timer.Change(WriteDelay, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task WriteAsync()
    {
        if (_stored is null || !_isChanged)
        {
            return;
        }

        _isChanged = false;
        try
        {
            // An empty index leaves nothing in the store.
            _stored.State.Sessions = [.. _index.All];
            await (_index.Count > 0 ? _stored.WriteStateAsync() : _stored.ClearStateAsync());
            _hasFailed = false;
        }
        catch (InconsistentStateException fault)
        {
            // Another activation has written it, or it has expired. The next activation takes up what is stored.
            LogMessages.Lost(_logger, this.GetPrimaryKeyString(), LoggedException.Of(fault));
            _isLost = true;
            DeactivateOnIdle();
        }
        catch (Exception fault)
        {
            if (!_hasFailed && fault is not StoreUnavailableException)
            {
                LogMessages.NotWritten(_logger, this.GetPrimaryKeyString(), LoggedException.Of(fault));
            }

            (_hasFailed, _isChanged) = (true, true);
            if (!_isLeaving)
            {
                PlanWrite();
            }
        }
    }

    private void ThrowIfLost()
    {
        if (_isLost)
        {
            throw new OrleansException("Another activation has the index of the scope. Repeat the call.");
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning, "The index of scope {Scope} could not be written; it is tried again")]
        public static partial void NotWritten(ILogger logger, string scope, LoggedException fault);

        [LoggerMessage(2, LogLevel.Warning,
            "The index of scope {Scope} was changed by another activation; its last changes are lost until the sessions are asked again")]
        public static partial void Lost(ILogger logger, string scope, LoggedException fault);
    }
}
