namespace OrleansSessions.Client.ChatClient.Connections;

/// <summary>A session in the pool. All members but <see cref="Connecting"/> and <see cref="Cause"/> hold the pool's lock.</summary>
internal sealed class PooledSession(string id) : IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private volatile SessionClient? _client;
    private volatile SessionClient? _connecting;

    public string Id => id;

    /// <summary>The connection. All callers that need it wait for the same task, so none of them ends it for the others.</summary>
    public Task<SessionClient> Connecting { get; private set; } = null!;

    /// <summary>The number of calls that use it.</summary>
    public int Uses { get; set; }

    /// <summary>The timestamp since which no call has used it.</summary>
    public long IdleSince { get; set; }

    /// <summary>True unless the connection failed or has stopped.</summary>
    public bool IsUsable => _client is { } client ? !client.Stopped.IsCompleted : !Connecting.IsCompleted;

    /// <summary>True if there is a connection, whatever has become of it.</summary>
    public bool IsConnected => _client is not null;

    /// <summary>Why there is no connection, as far as it is known.</summary>
    public Exception? Cause => _connecting?.Cause;

    public void Connect(Func<string, SessionClient> start)
    {
        Connecting = ConnectAsync();

        async Task<SessionClient> ConnectAsync()
        {
            var client = _connecting = start(id);
            try
            {
                await client.LiveAsync(_closing.Token).ConfigureAwait(false);
                return _client = client;
            }
            catch
            {
                await client.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Ends the connection, also one that is still being opened.</summary>
    public async Task CloseAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await ((Task)Connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_client is { } client)
        {
            await client.DisposeAsync().ConfigureAwait(false);
        }

        Dispose();
    }

    public void Dispose() => _closing.Dispose();
}
