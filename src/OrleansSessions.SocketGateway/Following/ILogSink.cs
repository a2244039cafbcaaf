using OrleansSessions.Log;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Receives the events of a session for one profile. All calls are made under the connection's gate, in the order of the log.</summary>
internal interface ILogSink
{
    /// <summary>True while the client has so much to read that further events must stay in the log.</summary>
    bool IsFull { get; }

    /// <summary>Handles the next event. <paramref name="isReplay"/> is true only in a replay that the client asked for.</summary>
    void OnEvent(LogEvent next, bool isReplay);

    /// <summary>The client is at <paramref name="afterSeq"/>, whatever it was sent before. The events after that are replayed.</summary>
    void OnReplay(long afterSeq);

    /// <summary>A replay that the client asked for has reached the head.</summary>
    void OnRecovered(LogPiece atHead);

    /// <summary>The events after the position cannot be replayed. The position is now the head of the piece.</summary>
    void OnLost(LogPiece piece);

    /// <summary>The session was removed. The connection is closed after the frames that were written so far.</summary>
    void OnRemoved();
}
