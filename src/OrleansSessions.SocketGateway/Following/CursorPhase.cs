namespace OrleansSessions.SocketGateway.Following;

/// <summary>What a <see cref="LogCursor"/> does with the news that arrives.</summary>
internal enum CursorPhase
{
    /// <summary>The position is not known yet; news is held.</summary>
    Attaching,

    /// <summary>News goes straight to the sink.</summary>
    Live,

    /// <summary>The log is being read; news is held.</summary>
    Reading,

    /// <summary>News is held while the sink is given something from another source.</summary>
    Paused,

    /// <summary>News is dropped.</summary>
    Closed,
}
