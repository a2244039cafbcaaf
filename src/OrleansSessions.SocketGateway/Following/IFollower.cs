using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>A follower, as the feed and the timers use it. No method blocks or throws. Nothing is sent before a flush.</summary>
internal interface IFollower
{
    /// <summary>True while a question of the session is open, as far as this follower knows.</summary>
    bool IsWaiting { get; }

    void OnEvents(long epoch, LogEvent[] events);

    void OnRemoved(long epoch);

    /// <summary>Handles a log head that the grain has just reported. If the position is behind it, something was lost.</summary>
    /// <returns>True if the position is behind it, so that the log is read.</returns>
    bool OnHead(long epoch, long seq);

    /// <summary>Sends the client to another connection after the delay. Only the first call counts, once the follower is attached.</summary>
    void Depart(DepartureReason reason, TimeSpan delay);

    /// <summary>True while its client has an open question here, and cannot get the answer on another connection.</summary>
    bool IsHeldByAnswer { get; }

    /// <summary>Checks the time limits.</summary>
    void OnTick(long now);

    /// <summary>Sends the waiting frames, on this thread as long as the transport accepts them at once.</summary>
    void Flush();

    /// <summary>Sends the waiting frames on another thread.</summary>
    void FlushElsewhere();

    /// <summary>Closes it because this process leaves.</summary>
    /// <param name="isEvicted">True if the cluster no longer lists it.</param>
    void CloseLeaving(bool isEvicted);

    /// <param name="dropWaiting">False to send the waiting frames before the close frame.</param>
    void Close(int code, string reason, bool dropWaiting = true);
}
