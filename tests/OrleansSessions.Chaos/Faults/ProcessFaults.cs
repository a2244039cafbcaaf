using OrleansSessions.Chaos.Clients;
using OrleansSessions.Chaos.Plans;
using OrleansSessions.Chaos.Processes;
using OrleansSessions.Chaos.Results;

namespace OrleansSessions.Chaos.Faults;

/// <summary>Carries out the planned faults of nodes and of Redis, one after another. At least one node is always left alone.</summary>
internal sealed class ProcessFaults(RunParts parts, TextWriter log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>How long a node serves at least before the plan hits it again, so that it has connections and sessions to lose.</summary>
    private static readonly TimeSpan Service = TimeSpan.FromSeconds(8);

    private readonly List<Task> _running = [];

    private ChaosCluster Cluster => parts.Cluster;

    public async Task RunAsync(IEnumerable<ProcessFault> plan, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var fault in plan)
            {
                await RunClock.DelayAsync(fault.Gap, cancellationToken);
                if (!await ChaosCluster.UntilAsync(() => MayBegin(fault), Patience, cancellationToken))
                {
                    throw new TimeoutException($"The cluster did not become whole again within {Patience}.");
                }

                await log.WriteLineAsync($"{parts.Clock.Now.TotalSeconds,8:F1} s  {fault.Kind} {fault.Duration.TotalSeconds:F1} s, {Cluster.Up} nodes up");
                _running.RemoveAll(task => task.IsCompletedSuccessfully);
                var running = ApplyAsync(fault, cancellationToken);
                _running.Add(running);
                if (fault.Kind is not (ProcessFaultKind.Kill or ProcessFaultKind.Freeze) || !fault.Overlaps)
                {
                    await running;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The time for faults is over. What is frozen goes on.
        }

        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private bool MayBegin(ProcessFault fault) => fault.Overlaps && IsOfNode(fault.Kind)
        ? Cluster.Up >= Math.Min(2, Cluster.Nodes.Count)
        : Cluster.IsWhole && parts.Clock.Now - Oldest().UpSince > (IsOfNode(fault.Kind) ? Service : TimeSpan.Zero);

    private static bool IsOfNode(ProcessFaultKind kind) => kind is ProcessFaultKind.Kill or ProcessFaultKind.Freeze or ProcessFaultKind.Drain;

    /// <summary>The node that has served longest: it has most to lose, and the plan reaches all of them.</summary>
    private ChaosNode Oldest() => Cluster.Nodes.Where(node => node.State == NodeState.Up).MinBy(node => node.UpSince)!;

    private async Task ApplyAsync(ProcessFault fault, CancellationToken cancellationToken)
    {
        switch (fault.Kind)
        {
            case ProcessFaultKind.Kill: Kill(fault.Duration); break;
            case ProcessFaultKind.Freeze: await FreezeAsync(fault.Duration, cancellationToken); break;
            case ProcessFaultKind.Drain: await DrainAsync(Oldest(), fault.Duration); break;
            case ProcessFaultKind.Rolling: await RollAsync(fault.Duration, cancellationToken); break;
            default: await BreakRedisAsync(fault, cancellationToken); break;
        }
    }

    private void Kill(TimeSpan pause)
    {
        var node = Oldest();
        parts.Counts.Add(CountNames.Kills);
        parts.Board.OnNodeFault(node.Number, Cause.Kill, isAnother: !Cluster.IsWhole);
        node.Kill(pause);
    }

    private async Task FreezeAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var node = Oldest();
        parts.Counts.Add(CountNames.Freezes);
        parts.Board.OnNodeFault(node.Number, Cause.Freeze, isAnother: !Cluster.IsWhole);
        node.Freeze();
        try
        {
            await RunClock.DelayAsync(time, cancellationToken);
        }
        finally
        {
            await node.ThawAsync();
        }
    }

    // Not cut short by the end of the faults: a process that was told to stop has to end.
    private async Task DrainAsync(ChaosNode node, TimeSpan pause)
    {
        parts.Counts.Add(CountNames.Drains);
        parts.Board.OnNodeFault(node.Number, Cause.Drain, isAnother: !Cluster.IsWhole);
        await node.DrainAsync(pause);
    }

    private async Task RollAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        parts.Counts.Add(CountNames.Rollings);
        foreach (var node in Cluster.Nodes)
        {
            await DrainAsync(node, pause);
            await ChaosCluster.UntilAsync(() => Cluster.IsWhole, Patience, cancellationToken);
            await RunClock.DelayAsync(pause, cancellationToken);
        }
    }

    private async Task BreakRedisAsync(ProcessFault fault, CancellationToken cancellationToken)
    {
        parts.Counts.Add(CountNames.Redis + fault.Kind);
        parts.Board.OnStoreFault();
        switch (fault.Kind)
        {
            case ProcessFaultKind.RedisFreeze: await Cluster.Redis.FreezeAsync(fault.Duration, cancellationToken); break;
            case ProcessFaultKind.RedisKill: await Cluster.Redis.KillAsync(fault.Duration); break;
            case ProcessFaultKind.RedisDelay: await Cluster.Redis.DelayAsync(fault.Duration, cancellationToken); break;
            case ProcessFaultKind.RedisStall: await Cluster.Redis.StallAsync(fault.Duration, cancellationToken); break;
            default: Cluster.Redis.Cut(); break;
        }

        parts.Board.OnStoreBack();
    }
}
