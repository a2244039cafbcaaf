namespace OrleansSessions.SocketGateway.Following;

/// <summary>One session's sockets in this process. The list is replaced, never changed, so that readers need no lock.</summary>
internal sealed class FollowedSession(string sessionKey)
{
    private IFollower[] _all = [];

    public string SessionKey { get; } = sessionKey;

    public IFollower[] All => Volatile.Read(ref _all);

    /// <summary>Which change of the list this is; see <see cref="FollowerRegistry"/>.</summary>
    public long Version { get; private set; }

    /// <summary>The silo the last news came from; null while it is not known where the grain is.</summary>
    public SiloAddress? Silo { get; set; }

    /// <summary>When the last news came, as a timestamp.</summary>
    public long LastHeardAt { get; set; }

    /// <summary>Quiet waits doubled since the last news.</summary>
    public int QuietRounds { get; set; }

    /// <summary>True while it waits to be attached again; guarded by whoever keeps that queue.</summary>
    public bool IsAwaitingAttach { get; set; }

    /// <summary>True while an attach that failed waits for its next attempt; guarded as above.</summary>
    public bool IsAwaitingRetry { get; set; }

    /// <summary>Attaches that failed since the last one that did not; guarded as above.</summary>
    public int FailedAttaches { get; set; }

    /// <summary>
    /// True once the grain has reported that it goes to sleep, until this socket gateway hears of it or calls it again. Losing a report wakes one
    /// session for nothing; a report that is overtaken leaves a count in the grain, which its next news corrects.
    /// </summary>
    public bool IsAsleep { get; set; }

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

    internal void Set(IFollower[] all, long version)
    {
        Version = version;
        Volatile.Write(ref _all, all);
    }
}
