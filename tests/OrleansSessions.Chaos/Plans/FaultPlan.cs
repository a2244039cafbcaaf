namespace OrleansSessions.Chaos.Plans;

/// <summary>The faults of a run: two endless sequences that follow from the seed alone.</summary>
internal static class FaultPlan
{
    /// <summary>
    /// How often one client is hit. With 200 clients that is five faults a second, 3,000 in ten minutes. More often would measure the pauses that
    /// clients make between attempts, which grow while no connection lasts for ten seconds.
    /// </summary>
    private const double SecondsBetweenFaultsOfAClient = 40;

    private const double OverlapShare = 0.15;

    private static readonly (ProcessFaultKind, int)[] Kills = [(ProcessFaultKind.Kill, 1)];
    private static readonly (ProcessFaultKind, int)[] Freezes = [(ProcessFaultKind.Freeze, 1)];
    private static readonly (ProcessFaultKind, int)[] Drains = [(ProcessFaultKind.Drain, 1)];
    private static readonly (ProcessFaultKind, int)[] Rolling = [(ProcessFaultKind.Rolling, 1)];

    private static readonly (ProcessFaultKind, int)[] Redis =
    [
        (ProcessFaultKind.RedisFreeze, 1), (ProcessFaultKind.RedisKill, 1), (ProcessFaultKind.RedisDelay, 1), (ProcessFaultKind.RedisStall, 1),
        (ProcessFaultKind.RedisCut, 1),
    ];

    /// <summary>Kills and freezes are four of five, because the goal counts them.</summary>
    private static readonly (ProcessFaultKind, int)[] Mixed =
    [
        (ProcessFaultKind.Kill, 44), (ProcessFaultKind.Freeze, 36), (ProcessFaultKind.Drain, 8), (ProcessFaultKind.Rolling, 2),
        (ProcessFaultKind.RedisFreeze, 2), (ProcessFaultKind.RedisKill, 2), (ProcessFaultKind.RedisDelay, 2), (ProcessFaultKind.RedisStall, 2),
        (ProcessFaultKind.RedisCut, 2),
    ];

    private static readonly (LinkFaultKind, int)[] Links =
    [
        (LinkFaultKind.Reset, 40), (LinkFaultKind.Close, 20), (LinkFaultKind.Stall, 10), (LinkFaultKind.Delay, 8), (LinkFaultKind.LoseDown, 8),
        (LinkFaultKind.LoseUp, 8), (LinkFaultKind.SlowReader, 6),
    ];

    /// <summary>The faults of processes, without end.</summary>
    public static IEnumerable<ProcessFault> Processes(int seed, FaultScope scope)
    {
        var kinds = KindsOf(scope);
        if (kinds.Length == 0)
        {
            yield break;
        }

        var random = PlanRandom.Of(seed, "processes");
        for (var number = 0; ; number++)
        {
            var kind = random.Pick(kinds);
            var gap = random.Between(0.5, 2);
            var duration = DurationOf(kind, random);
            yield return new(number, kind, gap, duration, random.NextDouble() < OverlapShare);
        }
    }

    /// <summary>The faults of connections, without end.</summary>
    public static IEnumerable<LinkFault> Connections(int seed, FaultScope scope, int clients)
    {
        if (scope is not (FaultScope.All or FaultScope.Drops))
        {
            yield break;
        }

        var random = PlanRandom.Of(seed, "links");
        var seconds = SecondsBetweenFaultsOfAClient / clients;
        for (var number = 0; ; number++)
        {
            var kind = random.Pick(Links);
            yield return new(
                number, kind, random.Between(0, 2 * seconds), random.Between(0.5, kind is LinkFaultKind.Stall ? 5 : 8), random.NextDouble());
        }
    }

    private static (ProcessFaultKind, int)[] KindsOf(FaultScope scope) => scope switch
    {
        FaultScope.All => Mixed,
        FaultScope.Kills => Kills,
        FaultScope.Freezes => Freezes,
        FaultScope.Drains => Drains,
        FaultScope.Redis => Redis,
        FaultScope.Rolling => Rolling,
        _ => [],
    };

    private static TimeSpan DurationOf(ProcessFaultKind kind, Random random) => kind switch
    {
        ProcessFaultKind.Kill => random.Between(0.2, 1.5),
        // Some are shorter than what the others take to declare a silo dead, most are longer.
        ProcessFaultKind.Freeze => random.Between(1, 7),
        ProcessFaultKind.RedisFreeze or ProcessFaultKind.RedisStall => random.Between(1, 8),
        ProcessFaultKind.RedisKill => random.Between(0.2, 4),
        ProcessFaultKind.RedisDelay => random.Between(3, 10),
        _ => random.Between(0.2, 1),
    };
}
