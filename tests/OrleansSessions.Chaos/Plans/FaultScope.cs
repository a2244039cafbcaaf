namespace OrleansSessions.Chaos.Plans;

/// <summary>Which faults a run makes.</summary>
internal enum FaultScope
{
    All,
    Kills,
    Freezes,
    Drains,
    Drops,
    Redis,
    Rolling,
}
