using OrleansSessions.Log;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>A socket, as those see it who bring it news of its session. No call blocks or throws; none sends before a flush.</summary>
internal interface IFollower
{
    /// <summary>True while a question of its session is open, as far as this socket has been told.</summary>
    bool IsWaiting { get; }

    void OnEvents(long epoch, LogEvent[] events);

    void OnRemoved(long epoch);

    /// <summary>The log's head as the grain told it just now: a position behind it means that something was lost.</summary>
    void OnHead(long epoch, long seq);

    /// <summary>Looks at the socket's clocks.</summary>
    void OnTick(long now);

    /// <summary>Sends what waits, on this thread as far as the socket takes it at once.</summary>
    void Flush();

    /// <summary>Sends what waits, on another thread.</summary>
    void FlushElsewhere();

    /// <param name="dropWaiting">False to send what waits before the close frame.</param>
    void Close(int code, string reason, bool dropWaiting = true);
}
