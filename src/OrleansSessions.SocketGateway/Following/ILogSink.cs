using OrleansSessions.Log;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>What one profile makes of a session's events. All calls come under the connection's gate, in the log's order.</summary>
internal interface ILogSink
{
    /// <summary>The next event. Only a replay that the client asked for is one.</summary>
    void OnEvent(LogEvent next, bool isReplay);

    /// <summary>The client is at <paramref name="afterSeq"/> now, whatever it was sent before; what follows is replayed to it.</summary>
    void OnReplay(long afterSeq);

    /// <summary>A replay that the client asked for has reached the head.</summary>
    void OnRecovered(LogPiece atHead);

    /// <summary>The events after the position are not to be had; the position is now the piece's head.</summary>
    void OnLost(LogPiece piece);

    /// <summary>The session is gone; its socket closes after what was written so far.</summary>
    void OnRemoved();
}
