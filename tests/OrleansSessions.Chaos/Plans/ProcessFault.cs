namespace OrleansSessions.Chaos.Plans;

/// <summary>What happens to a process.</summary>
internal enum ProcessFaultKind
{
    /// <summary>A node is killed (SIGKILL).</summary>
    Kill,

    /// <summary>A node is stopped for some seconds (SIGSTOP), then continued (SIGCONT). It may have lost its membership meanwhile.</summary>
    Freeze,

    /// <summary>A node is told to stop (SIGTERM), and ends by itself.</summary>
    Drain,

    /// <summary>Every node is drained and started again, one after another.</summary>
    Rolling,

    /// <summary>Redis is stopped for some seconds, then continued.</summary>
    RedisFreeze,

    /// <summary>Redis is killed, and started again with what it had confirmed.</summary>
    RedisKill,

    /// <summary>What goes to Redis and comes from it is late.</summary>
    RedisDelay,

    /// <summary>All connections to Redis are silent, then go on.</summary>
    RedisStall,

    /// <summary>All connections to Redis are cut.</summary>
    RedisCut,
}

/// <summary>A fault of a process, as planned.</summary>
/// <param name="Number">Its place in the plan, from 0.</param>
/// <param name="Gap">The time from the end of the fault before it to this one.</param>
/// <param name="Duration">How long it lasts, for a fault that does not end by itself. For a killed process: until it is started again.</param>
/// <param name="Overlaps">True if it need not wait until the cluster is whole again. At least one node is always left alone.</param>
internal sealed record ProcessFault(int Number, ProcessFaultKind Kind, TimeSpan Gap, TimeSpan Duration, bool Overlaps);
