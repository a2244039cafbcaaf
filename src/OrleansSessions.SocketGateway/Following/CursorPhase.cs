namespace OrleansSessions.SocketGateway.Following;

/// <summary>What a <see cref="LogCursor"/> does with items that arrive.</summary>
internal enum CursorPhase
{
    /// <summary>The position is not known yet. Items are held.</summary>
    Attaching,

    /// <summary>Items go to the sink at once.</summary>
    Live,

    /// <summary>The log is being read. Items are held.</summary>
    Reading,

    /// <summary>Items are held while the sink receives something from another source.</summary>
    Paused,

    /// <summary>Items are dropped.</summary>
    Closed,
}
