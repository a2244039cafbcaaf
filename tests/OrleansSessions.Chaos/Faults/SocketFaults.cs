using OrleansSessions.Chaos.Clients;
using OrleansSessions.Chaos.Plans;
using OrleansSessions.Chaos.Proxies;
using OrleansSessions.Chaos.Results;

namespace OrleansSessions.Chaos.Faults;

/// <summary>Carries out the planned faults of connections. Each hits one that is open at its time.</summary>
internal sealed class SocketFaults(RunParts parts)
{
    /// <summary>Everything is this late in each direction: a bad mobile connection.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(300);

    private readonly List<Task> _running = [];

    public async Task RunAsync(IEnumerable<LinkFault> plan, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var fault in plan)
            {
                await RunClock.DelayAsync(fault.Gap, cancellationToken);
                var links = parts.Cluster.Nodes.SelectMany(node => node.Proxy.Links).Where(link => link is { Client: not null, IsBroken: false }).ToArray();
                if (links.Length > 0)
                {
                    var link = links[(int)(fault.Pick * links.Length)];
                    _running.RemoveAll(task => task.IsCompleted);
                    _running.Add(ApplyAsync(fault, link, cancellationToken));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The time for faults is over.
        }

        await Task.WhenAll(_running);
    }

    private async Task ApplyAsync(LinkFault fault, ProxyLink link, CancellationToken cancellationToken)
    {
        parts.Counts.Add(CountNames.Drops + fault.Kind);
        var loses = fault.Kind is LinkFaultKind.LoseDown or LinkFaultKind.LoseUp;
        if (fault.Kind is not (LinkFaultKind.Delay or LinkFaultKind.SlowReader))
        {
            var isSilent = loses || fault.Kind == LinkFaultKind.Stall;
            parts.Board.OnLinkFault(link.Client!, $"{fault.Kind} for {fault.Duration}", needsNewLink: fault.Kind != LinkFaultKind.Stall, isSilent);
        }

        link.IsBroken = loses;
        Begin(fault.Kind, link);
        if (fault.Kind == LinkFaultKind.Close)
        {
            await link.CloseAsync();
        }
        else if (fault.Kind != LinkFaultKind.Reset)
        {
            await RunClock.DelayAsync(fault.Duration, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            End(fault.Kind, link);
        }
    }

    private static void Begin(LinkFaultKind kind, ProxyLink link)
    {
        switch (kind)
        {
            case LinkFaultKind.Reset: link.Reset(); break;
            case LinkFaultKind.Stall: link.Up.Stall(); link.Down.Stall(); break;
            case LinkFaultKind.Delay: link.Up.Delay = link.Down.Delay = Late; break;
            case LinkFaultKind.LoseDown: link.Down.Lose(); break;
            case LinkFaultKind.LoseUp: link.Up.Lose(); break;
            case LinkFaultKind.SlowReader: link.Down.IsSlow = true; break;
            default: break;
        }
    }

    private static void End(LinkFaultKind kind, ProxyLink link)
    {
        switch (kind)
        {
            case LinkFaultKind.Stall: link.Up.GoOn(); link.Down.GoOn(); break;
            case LinkFaultKind.Delay: link.Up.Delay = link.Down.Delay = TimeSpan.Zero; break;
            case LinkFaultKind.SlowReader: link.Down.IsSlow = false; break;
            default: link.Reset(); break;
        }
    }
}
