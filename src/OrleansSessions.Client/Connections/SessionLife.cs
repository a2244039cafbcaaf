using OrleansSessions.Client.Frames;
using OrleansSessions.Client.Http;
using OrleansSessions.Client.Questions;
using OrleansSessions.Client.Sessions;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Connections;

/// <summary>The connections of one session, one after the other. Read <see cref="RunAsync"/> first: it is the whole life, in order.</summary>
internal sealed class SessionLife : ISessionEffects
{
    private readonly string _session;
    private readonly SessionClientOptions _options;
    private readonly LinkOpener _opener;
    private readonly QuestionReads _reads;
    private readonly LinkTokens _tokens;
    private readonly BackOff _backOff = new(Random.Shared.NextDouble);
    private readonly CancellationTokenSource _stopping = new();
    private readonly OwnedTasks _tasks;
    private readonly TaskCompletionSource _firstLive = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionStop> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Under the gate: the present connection, and what the core wants done with it.
    private Link? _link;
    private TimeSpan? _moveAfter;
    private bool _isLive;
    private bool _mustLeave;
    private Exception? _fault;
    private volatile SessionState _state = SessionState.Connecting;
    private volatile Exception? _cause;

    public SessionLife(string session, SessionClientOptions options, LinkOpener opener, SessionApi api)
    {
        (_session, _options, _opener) = (session, options, opener);
        _tasks = new(Fail, _stopping.Token);
        Core = new(session, this);
        _reads = new(api, Core, Gate, options.TimeProvider);
        _tokens = new(options);
    }

    /// <summary>Held by every use of <see cref="Core"/>.</summary>
    public Lock Gate { get; } = new();

    public SessionCore Core { get; }

    public SessionState State => _state;

    /// <summary>Why the last connection was lost or could not be had; null while the session is live.</summary>
    public Exception? Cause => _cause;

    /// <summary>Completes when the session is live for the first time.</summary>
    public Task FirstLive => _firstLive.Task;

    public Task<SessionStop> Stopped => _stopped.Task;

    /// <summary>Connects again and again, until something stops the session.</summary>
    public async Task RunAsync()
    {
        // 1. Live, until there is a reason to stop.
        SessionStop stop;
        try
        {
            Tell(SessionState.Connecting, null);
            stop = await LiveAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested && _fault is null)
        {
            stop = new(SessionStopReason.Closed, "The caller closed the session.");
        }
        catch (Exception fault)
        {
            stop = new(SessionStopReason.Protocol, $"The client failed: {(_fault ?? fault).Message}", Fault: _fault ?? fault);
        }

        // 2. Tell everybody who waits.
        lock (Gate)
        {
            Core.Stop(stop);
        }

        // 3. End what runs in the background.
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _tasks.WhenAllAsync().ConfigureAwait(false);
        try
        {
            Tell(SessionState.Stopped, new SessionStoppedException(stop));
        }
        catch (Exception fault)
        {
            stop = stop with { Fault = stop.Fault ?? fault };
        }

        _stopped.SetResult(stop);
    }

    /// <summary>Begins to stop, because the caller wants it.</summary>
    public Task StopAsync() => _stopping.CancelAsync();

    void ISessionEffects.Send(byte[] frame) => _link?.Send(frame);

    void ISessionEffects.Read(Question question) => _tasks.Run(stopping => _reads.ReadAsync(question, stopping));

    void ISessionEffects.Live() => _isLive = true;

    void ISessionEffects.Leave() => _mustLeave = true;

    void ISessionEffects.Move(TimeSpan delay) => _moveAfter = delay;

    void ISessionEffects.RenewToken(SessionRefusedException? refusal)
    {
        // Without a fresh token, the earlier one holds until it ends.
        if (_link is { } link && refusal is null or { IsRetryable: true })
        {
            _tasks.Run(stopping => RenewTokenAsync(link, refusal, stopping));
        }
    }

    private async Task<SessionStop> LiveAsync(CancellationToken stopping)
    {
        while (true)
        {
            // 1. Open a connection from the position that there is.
            (string? Epoch, long Last) position;
            lock (Gate)
            {
                position = Core.Position;
            }

            var (link, failure) = await _opener.OpenAsync(position.Epoch, position.Last, stopping).ConfigureAwait(false);

            // 2. Serve it to its end. A successor can take its place meanwhile.
            var end = link is null ? failure! : await ServeAsync(link, stopping).ConfigureAwait(false);

            // 3. Stop, if the next connection would end in the same way.
            if (StopRules.NeedsToken(end))
            {
                if (!await _tokens.HasOtherAsync(end.Token, stopping).ConfigureAwait(false))
                {
                    return StopRules.Stop(SessionStopReason.TokenExpired, end);
                }
            }
            else if (StopRules.Decide(end) is { } stop)
            {
                return stop;
            }

            // 4. Come back after a while.
            Tell(_firstLive.Task.IsCompleted ? SessionState.Reconnecting : SessionState.Connecting, CauseOf(end));
            await Task.Delay(_backOff.Next(end.OpenFor, end.Refusal?.RetryAfter), _options.TimeProvider, stopping).ConfigureAwait(false);
        }
    }

    private async Task<LinkEnd> ServeAsync(Link link, CancellationToken stopping)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        Use(link);
        Task<(Link Link, ServerFrame Hello)>? move = null;
        try
        {
            var next = link.ReceiveAsync();
            while (true)
            {
                await Task.WhenAny(next, (Task?)move ?? next).WaitAsync(stopping).ConfigureAwait(false);
                ServerFrame? frame;
                if (move is { IsCompleted: true })
                {
                    // What the old connection has delivered and this loop has not read is repeated by its successor.
                    var old = link;
                    (link, frame) = await move.ConfigureAwait(false);
                    move = null;
                    _tasks.Run(_ => old.CloseAsync());
                    Use(link);
                }
                else
                {
                    frame = await next.ConfigureAwait(false);
                }

                if (frame is null)
                {
                    return link.End;
                }

                if (!Handle(frame.Value))
                {
                    return link.Leave();
                }

                if (TakeMove() is { } delay)
                {
                    var backOff = new BackOff(Random.Shared.NextDouble) { Min = _backOff.Min, Max = _backOff.Max };
                    move ??= new Mover(_opener, Core, Gate, _options).MoveAsync(delay, backOff, leaving.Token);
                }

                next = link.ReceiveAsync();
            }
        }
        finally
        {
            Use(null);
            await leaving.CancelAsync().ConfigureAwait(false);
            await AbandonAsync(move).ConfigureAwait(false);
            await link.CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Handles a frame. Returns false if the connection must be left.</summary>
    private bool Handle(in ServerFrame frame)
    {
        bool isLive;
        lock (Gate)
        {
            if (frame.Message is HelloMessage hello)
            {
                _backOff.Min = TimeSpan.FromMilliseconds(hello.ReconnectMinMs);
                _backOff.Max = TimeSpan.FromMilliseconds(hello.ReconnectMaxMs);
            }

            Core.On(frame);
            if (_mustLeave)
            {
                return false;
            }

            (isLive, _isLive) = (_isLive, false);
        }

        if (isLive && State != SessionState.Live)
        {
            Tell(SessionState.Live, null);
            _firstLive.TrySetResult();
        }

        return true;
    }

    private void Use(Link? link)
    {
        lock (Gate)
        {
            (_link, _mustLeave, _moveAfter) = (link, false, null);
            Core.Disconnected();
        }
    }

    private TimeSpan? TakeMove()
    {
        lock (Gate)
        {
            var delay = _moveAfter;
            _moveAfter = null;
            return delay;
        }
    }

    private static async Task AbandonAsync(Task<(Link Link, ServerFrame Hello)>? move)
    {
        if (move is not null)
        {
            await ((Task)move).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (move.IsCompletedSuccessfully)
            {
                var (successor, _) = await move.ConfigureAwait(false);
                await successor.CloseAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task RenewTokenAsync(Link link, SessionRefusedException? refusal, CancellationToken stopping)
    {
        var fresh = await _tokens.FreshAsync(refusal, stopping).ConfigureAwait(false);
        lock (Gate)
        {
            if (link == _link && !string.IsNullOrEmpty(fresh))
            {
                link.Renew(fresh);
            }
        }
    }

    /// <summary>Stops the session because of an exception that nobody expected.</summary>
    private void Fail(Exception fault)
    {
        _fault ??= fault;
        _stopping.Cancel();
    }

    private void Tell(SessionState state, Exception? cause)
    {
        _state = state;
        _cause = state == SessionState.Stopped ? _cause : cause;
        _options.OnStateChanged?.Invoke(new(_session, state, cause));
    }

    private static Exception? CauseOf(LinkEnd end) => (Exception?)end.Explanation ?? end.Fault;
}
