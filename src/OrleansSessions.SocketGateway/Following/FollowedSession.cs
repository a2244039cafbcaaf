namespace OrleansSessions.SocketGateway.Following;

/// <summary>The followers of one session in this process. Their list is replaced and never modified, so that readers need no lock.</summary>
internal sealed class FollowedSession(string sessionKey)
{
    private IFollower[] _all = [];

    public string SessionKey { get; } = sessionKey;

    public IFollower[] All => Volatile.Read(ref _all);

    /// <summary>The number of the last change of the list; see <see cref="FollowerRegistry"/>.</summary>
    public long Version { get; private set; }

    /// <summary>The silo that sent the last item, or null if it is not known where the grain is.</summary>
    public SiloAddress? Silo { get; set; }

    /// <summary>The highest number of an item from <see cref="Silo"/>.</summary>
    public long LastNumber { get; set; }

    /// <summary>When the last item arrived, as a timestamp.</summary>
    public long LastHeardAt { get; set; }

    /// <summary>How often the quiet time-out was doubled since the last item.</summary>
    public int QuietRounds { get; set; }

    /// <summary>True while the session waits to be attached again. Guarded by the lock of <see cref="Feed.SessionReattacher"/>.</summary>
    public bool IsAwaitingAttach { get; set; }

    /// <summary>True while a failed attach waits for its next attempt. Guarded by the same lock.</summary>
    public bool IsAwaitingRetry { get; set; }

    /// <summary>The number of failed attaches since the last success. Guarded by the same lock.</summary>
    public int FailedAttaches { get; set; }

    /// <summary>
    /// True once the grain has reported that it goes to sleep, until this socket gateway receives an item of it or
    /// calls it. If a report is lost, one session is woken unnecessarily. If a report arrives too late, a connection
    /// that leaves is not reported and the grain keeps its count, until the session's next item corrects that.
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
