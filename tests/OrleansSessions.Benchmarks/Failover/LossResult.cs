namespace OrleansSessions.Benchmarks.Failover;

/// <summary>What one or more losses of a node cost. All times are in milliseconds, from the loss on unless something else is said.</summary>
internal sealed class LossResult
{
    /// <summary>Until another node answered a read of a session.</summary>
    public List<double> Read { get; } = [];

    /// <summary>Until another node answered a new socket of a session.</summary>
    public List<double> Attached { get; } = [];

    /// <summary>Until a socket on another node was sent the next frame about its question.</summary>
    public List<double> EventAgain { get; } = [];

    /// <summary>Until a socket on another node was sent new text or the end.</summary>
    public List<double> TextAgain { get; } = [];

    /// <summary>The ends of the answers of the lost node's sessions.</summary>
    public List<AnswerEnd> Ends { get; } = [];

    /// <summary>The ends of the answers of other sessions, whose sockets were on the lost node.</summary>
    public List<AnswerEnd> OtherEnds { get; } = [];

    /// <summary>Why answers are wrong.</summary>
    public List<string> Mistakes { get; } = [];

    /// <summary>The reasons of answers that are not whole.</summary>
    public HashSet<string> Reasons { get; } = [];

    /// <summary>For a frozen node: from the moment it goes on until each of its sockets has ended.</summary>
    public List<double> Cut { get; } = [];

    /// <summary>For a frozen node: from the moment it goes on until its process has ended.</summary>
    public List<double> Gone { get; } = [];
}
