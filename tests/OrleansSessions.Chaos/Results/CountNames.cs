namespace OrleansSessions.Chaos.Results;

/// <summary>The names of the counts. A name that ends with a dot is followed by a kind, a code or a reason.</summary>
internal static class CountNames
{
    public const string Kills = "node.kills";
    public const string Freezes = "node.freezes";
    public const string Drains = "node.drains";
    public const string Starts = "node.starts";
    public const string FailedStarts = "node.failed_starts";
    public const string Evictions = "node.evictions";
    public const string Rollings = "node.rolling_restarts";
    public const string Redis = "redis.";
    public const string Drops = "drop.";
    public const string Asked = "question.asked";
    public const string Accepted = "question.accepted";
    public const string StaleHistories = "session.history_read_again";
    public const string LookedLost = "question.looked_lost";
    public const string Ended = "question.ended.";
    public const string Refused = "refusal.";
    public const string Closed = "close.";
    public const string Sockets = "socket.opened";
    public const string Resumed = "socket.resumed.";
    public const string Moves = "socket.moved";
    public const string Rounds = "session.checked";
    public const string Frames = "frame.checked";
}
