namespace OrleansSessions.SocketGateway.Connections;

/// <summary>One session's sockets in this process. The list is replaced, never changed, so that readers need no lock.</summary>
internal sealed class SessionConnections(string sessionKey)
{
    private ISessionConnection[] _all = [];

    public string SessionKey { get; } = sessionKey;

    public ISessionConnection[] All => Volatile.Read(ref _all);

    /// <summary>Which change of the list this is; see <see cref="ConnectionRegistry"/>.</summary>
    public long Version { get; private set; }

    /// <summary>The silo the last news came from.</summary>
    public SiloAddress? Silo { get; set; }

    /// <summary>When the last news came, as a timestamp.</summary>
    public long LastHeardAt { get; set; }

    /// <summary>Quiet waits doubled since the last news.</summary>
    public int QuietRounds { get; set; }

    /// <summary>True while it waits to be attached anew; guarded by whoever keeps that queue.</summary>
    public bool IsAwaitingAttach { get; set; }

    public bool IsWaiting
    {
        get
        {
            foreach (var connection in All)
            {
                if (connection.IsWaiting)
                {
                    return true;
                }
            }

            return false;
        }
    }

    internal void Set(ISessionConnection[] all, long version)
    {
        Version = version;
        Volatile.Write(ref _all, all);
    }
}
