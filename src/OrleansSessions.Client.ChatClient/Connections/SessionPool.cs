using OrleansSessions.Client.ChatClient.Answers;

namespace OrleansSessions.Client.ChatClient.Connections;

/// <summary>
/// The connections of a chat client, one for each session in use. A connection that no call uses is kept for a while, because a conversation goes on mostly.
/// </summary>
internal sealed class SessionPool : IAsyncDisposable
{
    private readonly Func<string, SessionClient> _start;
    private readonly SessionChatClientOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PooledSession> _sessions = [];
    private readonly HashSet<Task> _background = [];
    private readonly ITimer _timer;
    private bool _isDisposed;

    public SessionPool(Func<string, SessionClient> start, SessionChatClientOptions options)
    {
        (_start, _options) = (start, options);
        _timer = options.TimeProvider.CreateTimer(_ => CloseIdle(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The number of connections, for tests.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>Returns the connection of a session, when it is live.</summary>
    /// <param name="patience">How long to wait. It is told why there is no connection.</param>
    /// <exception cref="SessionStoppedException">The server refused the client.</exception>
    public async Task<SessionLease> AcquireAsync(string id, Patience patience)
    {
        PooledSession? session;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(SessionChatClient));
            if (!_sessions.TryGetValue(id, out session) || !session.IsUsable)
            {
                if (session is not null)
                {
                    Remove(session);
                }

                session = new(id);
                session.Connect(_start);
                _sessions[id] = session;
            }

            session.Uses++;
        }

        patience.Explain(() => session.Cause);
        try
        {
            return new(this, session, await session.Connecting.WaitAsync(patience.Token).ConfigureAwait(false));
        }
        catch
        {
            Return(session);
            throw;
        }
    }

    public SessionLease Share(PooledSession session, SessionClient client)
    {
        lock (_gate)
        {
            session.Uses++;
        }

        return new(this, session, client);
    }

    public void Return(PooledSession session)
    {
        lock (_gate)
        {
            if (--session.Uses > 0 || _sessions.GetValueOrDefault(session.Id) != session)
            {
                return;
            }

            // A connection that nobody waits for any more is not worth opening.
            if (!session.IsConnected || !session.IsUsable)
            {
                Remove(session);
                return;
            }

            session.IdleSince = _options.TimeProvider.GetTimestamp();
            CloseIdle();
        }
    }

    /// <summary>Runs something that outlives its call. It must not fail, and must end once its connection has stopped.</summary>
    public void Own(Task task)
    {
        lock (_gate)
        {
            _background.RemoveWhere(static done => done.IsCompleted);
            _background.Add(task);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task[] left;
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var session in _sessions.Values.ToArray())
            {
                Remove(session);
            }

            left = [.. _background];
        }

        await _timer.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(left).ConfigureAwait(false);
    }

    /// <summary>Closes what was idle for too long, and the oldest of what is too many. Looks again when the next one is due.</summary>
    private void CloseIdle()
    {
        lock (_gate)
        {
            var idle = _sessions.Values.Where(static session => session.Uses == 0).OrderBy(static session => session.IdleSince).ToList();
            for (var i = 0; i < idle.Count; i++)
            {
                var left = _options.IdleTimeout - _options.TimeProvider.GetElapsedTime(idle[i].IdleSince);
                if (left > TimeSpan.Zero && idle.Count - i <= _options.MaxIdleConnections)
                {
                    _timer.Change(left, Timeout.InfiniteTimeSpan);
                    return;
                }

                Remove(idle[i]);
            }
        }
    }

    private void Remove(PooledSession session)
    {
        _sessions.Remove(session.Id);
        Own(session.CloseAsync());
    }
}
