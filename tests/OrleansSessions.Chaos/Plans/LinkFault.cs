namespace OrleansSessions.Chaos.Plans;

/// <summary>What happens to one connection between a client and a node.</summary>
internal enum LinkFaultKind
{
    /// <summary>Both sides get a reset.</summary>
    Reset,

    /// <summary>Both sides get an orderly end (FIN).</summary>
    Close,

    /// <summary>Nothing passes for some time, in both directions. Then everything arrives.</summary>
    Stall,

    /// <summary>Everything is late for some time.</summary>
    Delay,

    /// <summary>What the server sends vanishes. The connection is reset after some time.</summary>
    LoseDown,

    /// <summary>What the client sends vanishes. The connection is reset after some time.</summary>
    LoseUp,

    /// <summary>The client reads very slowly for some time.</summary>
    SlowReader,
}

/// <summary>A fault of a connection, as planned.</summary>
/// <param name="Gap">The time since the fault before it.</param>
/// <param name="Pick">Selects the connection: a share of those that are open, from 0 to 1.</param>
internal sealed record LinkFault(int Number, LinkFaultKind Kind, TimeSpan Gap, TimeSpan Duration, double Pick);
