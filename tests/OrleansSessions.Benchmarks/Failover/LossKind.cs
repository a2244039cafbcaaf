namespace OrleansSessions.Benchmarks.Failover;

/// <summary>How a node is lost.</summary>
internal enum LossKind
{
    /// <summary>Its process is killed, and its connections break at once.</summary>
    Killed,

    /// <summary>Its process hangs with its connections open, and goes on after others have taken over.</summary>
    Frozen,
}
