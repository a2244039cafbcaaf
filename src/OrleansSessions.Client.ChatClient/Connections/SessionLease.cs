namespace OrleansSessions.Client.ChatClient.Connections;

/// <summary>The use of a session's connection by one call. Disposing it gives the connection back.</summary>
internal sealed class SessionLease(SessionPool pool, PooledSession session, SessionClient client) : IDisposable
{
    private bool _isReturned;

    public SessionClient Client => client;

    /// <summary>Another use of the same connection.</summary>
    public SessionLease Share() => pool.Share(session, client);

    public void Dispose()
    {
        if (!_isReturned)
        {
            _isReturned = true;
            pool.Return(session);
        }
    }
}
