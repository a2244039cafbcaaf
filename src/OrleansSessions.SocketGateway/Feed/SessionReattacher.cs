using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Feed;

/// <summary>
/// Attaches sessions again if their items may have been lost: first those that wait for an answer, a few at a time. The head in the grain's reply shows
/// each follower whether it missed anything. An attach that fails is repeated until it succeeds or the session has no followers left, because an idle
/// follower would not notice that it receives nothing.
/// </summary>
internal sealed partial class SessionReattacher(
    SessionGrains grains, FollowerRegistry registry, SocketGatewayMetrics metrics, IOptions<SocketGatewayOptions> options, TimeProvider clock,
    ILogger<SessionReattacher> logger) : BackgroundService
{
    private const int AtOnce = 32;
    private const int MaxUnderWay = 256;
    private const int MaxDetaches = 1_024;
    private const int MaxQuietRounds = 3;

    /// <summary>How long a batch can delay the next one. A silo that hangs answers late, and the sessions of other silos must not wait for it.</summary>
    private static readonly TimeSpan BatchPatience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(2);

    // Bounded by the number of sessions with followers: each session is in at most one queue, once.
    private readonly Lock _gate = new();
    private readonly Queue<FollowedSession> _urgent = new();
    private readonly Queue<FollowedSession> _others = new();
    private readonly HashSet<string> _detaches = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _work = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();

    public void Enqueue(FollowedSession session, bool isUrgent)
    {
        lock (_gate)
        {
            if (session.IsAwaitingAttach)
            {
                return;
            }

            session.IsAwaitingAttach = true;
            (isUrgent ? _urgent : _others).Enqueue(session);
        }

        Wake();
    }

    public void EnqueueAll()
    {
        foreach (var session in registry.Sessions)
        {
            Enqueue(session, session.IsWaiting);
        }
    }

    /// <summary>Adds the sessions that were on one of these silos, and those whose silo is not known.</summary>
    public void EnqueueThoseOf(HashSet<SiloAddress> silos)
    {
        foreach (var session in registry.Sessions)
        {
            if (session.Silo is not { } silo || silos.Contains(silo))
            {
                session.Silo = null;
                Enqueue(session, session.IsWaiting);
            }
        }
    }

    /// <summary>Adds the sessions that wait for an answer and receive nothing, at intervals that double.</summary>
    public void EnqueueQuiet()
    {
        var now = clock.GetTimestamp();
        foreach (var session in registry.Sessions)
        {
            if (session.IsWaiting && clock.GetElapsedTime(session.LastHeardAt, now) > options.Value.QuietSessionTimeout * (1 << session.QuietRounds))
            {
                session.QuietRounds = Math.Min(session.QuietRounds + 1, MaxQuietRounds);
                session.LastHeardAt = now;
                Enqueue(session, isUrgent: true);
            }
        }
    }

    /// <summary>
    /// Adds a session that sends items to this process although no one follows it here. If there are too many, it is left out, because it will send again.
    /// </summary>
    public void EnqueueDetach(string sessionKey)
    {
        lock (_gate)
        {
            if (_detaches.Count >= MaxDetaches || !_detaches.Add(sessionKey))
            {
                return;
            }
        }

        Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Task>(AtOnce);
        var underWay = new List<Task>();
        try
        {
            while (true)
            {
                await _work.WaitAsync(stoppingToken);
                while (TakeBatch(batch))
                {
                    await Task.WhenAny(Task.WhenAll(batch), Task.Delay(BatchPatience, clock, stoppingToken));
                    underWay.AddRange(batch);
                    while (underWay.RemoveAll(static call => call.IsCompleted) >= 0 && underWay.Count >= MaxUnderWay)
                    {
                        await Task.WhenAny(underWay).WaitAsync(stoppingToken);
                    }

                    await Task.Delay(Pause, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _stopping.Dispose();
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_work.CurrentCount == 0)
            {
                _work.Release();
            }
        }
    }

    private bool TakeBatch(List<Task> batch)
    {
        batch.Clear();
        while (batch.Count < AtOnce)
        {
            FollowedSession? session;
            string? detach = null;
            lock (_gate)
            {
                if (_urgent.TryDequeue(out session) || _others.TryDequeue(out session))
                {
                    session.IsAwaitingAttach = false;
                }
                else if (_detaches.FirstOrDefault() is { } key)
                {
                    detach = key;
                    _detaches.Remove(key);
                }
                else
                {
                    break;
                }
            }

            batch.Add(session is not null ? AttachAsync(session) : DetachAsync(detach!));
        }

        return batch.Count > 0;
    }

    private async Task AttachAsync(FollowedSession session)
    {
        if (session.All.Length == 0)
        {
            return;
        }

        try
        {
            metrics.SessionReattached();
            var count = registry.Count(session.SessionKey);
            var reply = await grains.Get(session.SessionKey)
                .AttachAsync(new() { Gateway = grains.Gateway, Connections = count.Connections, Version = count.Version });
            lock (_gate)
            {
                session.FailedAttaches = 0;
            }

            foreach (var connection in session.All)
            {
                if (connection.OnHead(reply.Epoch, reply.Seq))
                {
                    // The session is not quiet: its items are lost. What it sends next must not wait longer than this.
                    session.QuietRounds = 0;
                }
            }
        }
        catch (Exception fault)
        {
            LogAttachFailed(session, fault);
            RetryAsync(session).Ignore();
        }
    }

    /// <summary>Logs the exception only once for each session. In an outage all attaches fail, again and again; one of the store has a line of its own.</summary>
    private void LogAttachFailed(FollowedSession session, Exception fault)
    {
        if (session.FailedAttaches == 0 && !grains.IsOutage(fault))
        {
            LogMessages.Failed(logger, fault, session.SessionKey);
        }
        else
        {
            LogMessages.FailedAgain(logger, session.SessionKey);
        }
    }

    /// <summary>Runs outside the batches, so that sessions that cannot be reached do not delay others.</summary>
    private async Task RetryAsync(FollowedSession session)
    {
        TimeSpan delay;
        lock (_gate)
        {
            if (session.IsAwaitingRetry)
            {
                return;
            }

            session.IsAwaitingRetry = true;
            delay = FirstRetry * (1 << Math.Min(session.FailedAttaches++, 5));
        }

        await Task.Delay(delay < LastRetry ? delay : LastRetry, clock, _stopping.Token);
        lock (_gate)
        {
            session.IsAwaitingRetry = false;
        }

        if (session.All.Length > 0)
        {
            Enqueue(session, session.IsWaiting);
        }
    }

    private async Task DetachAsync(string sessionKey)
    {
        try
        {
            var count = registry.Count(sessionKey);
            if (count.Connections == 0)
            {
                await grains.Get(sessionKey).DetachAsync(new() { Gateway = grains.Gateway, Version = count.Version });
            }
        }
        catch (Exception fault)
        {
            if (!grains.IsOutage(fault))
            {
                LogMessages.Failed(logger, fault, sessionKey);
            }
        }
    }

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Session {SessionKey} could not be attached again, or could not be detached.")]
        public static partial void Failed(ILogger logger, Exception fault, string sessionKey);

        [LoggerMessage(2, LogLevel.Debug, "Session {SessionKey} could still not be attached.")]
        public static partial void FailedAgain(ILogger logger, string sessionKey);
    }
}
