using OrleansSessions.Chaos.Checks;
using OrleansSessions.Chaos.Clients;
using OrleansSessions.Chaos.Faults;
using OrleansSessions.Chaos.Plans;
using OrleansSessions.Chaos.Processes;
using OrleansSessions.Chaos.Results;
using OrleansSessions.Chaos.Rounds;

namespace OrleansSessions.Chaos;

/// <summary>A whole run. Read <see cref="RunAsync"/> first: it is the run, in order.</summary>
internal sealed class ChaosRun(ChaosOptions options, TextWriter log)
{
    private const int MaxKeptFailures = 40;
    private const int MaxKeptWaits = 20;

    /// <summary>What a round takes at most after the last fault.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan WholePatience = TimeSpan.FromMinutes(1);

    private readonly RunClock _clock = new();
    private readonly Counts _counts = new();
    private readonly Recoveries _recoveries = new();
    private readonly Findings _findings = new();
    private int _keptFailures;
    private int _keptWaits;

    public async Task<ChaosReport> RunAsync(CancellationToken cancellationToken)
    {
        // 1. Redis, the nodes, and the clients.
        await log.WriteLineAsync($"seed {options.Seed}");
        await using var cluster = await ChaosCluster.StartAsync(options.Nodes, options.Server, _clock, _counts, _findings);
        using var http = NewHttp();
        var parts = new RunParts(cluster, _clock, _counts, _recoveries, new ClientBoard(), http);
        await cluster.StartNodesAsync(cancellationToken);
        using var faults = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var rounds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var places = RoundPlan.Places(options.Seed, options.Clients);
        var playing = places.Select((kind, place) => PlayAsync(parts, place, kind, () => faults.IsCancellationRequested, rounds.Token)).ToArray();

        // 2. Faults, for the given time.
        faults.CancelAfter(TimeSpan.FromMinutes(options.Minutes));
        await Task.WhenAll(
            new ProcessFaults(parts, log).RunAsync(FaultPlan.Processes(options.Seed, options.Only), faults.Token),
            new SocketFaults(parts).RunAsync(FaultPlan.Connections(options.Seed, options.Only, options.Clients), faults.Token));

        // 3. Every node comes back, and every session ends its round with a question that is answered.
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, faults.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!await ChaosCluster.UntilAsync(() => cluster.IsWhole, WholePatience, cancellationToken))
        {
            _findings.Add(new(FindingKind.Stuck, "the cluster", $"Only {cluster.Up} of {options.Nodes} nodes are up at the end."));
        }

        rounds.CancelAfter(EndPatience);
        await Task.WhenAll(playing);
        cancellationToken.ThrowIfCancellationRequested();

        // 4. The result.
        await KeepOutputsAsync(cluster);
        var report = new ChaosReport(
            options.Replay, _clock.Now, _counts.All, _findings.All, [.. _recoveries.All, _recoveries.Whole], options.Failures);
        if (options.Json is { } path)
        {
            await report.WriteJsonAsync(path);
        }

        return report;
    }

    /// <summary>Plays one session after another in one place.</summary>
    private async Task PlayAsync(RunParts parts, int place, RoundKind kind, Func<bool> isOver, CancellationToken cancellationToken)
    {
        await Task.Yield();
        for (var number = 0; !isOver(); number++)
        {
            var plan = RoundPlan.Of(options.Seed, place, kind, number, options.Nodes);
            var round = new Round(parts, plan, PlanRandom.Of(options.Seed, "clients", place, number));
            try
            {
                var found = await round.RunAsync(isOver, cancellationToken);
                foreach (var finding in found)
                {
                    _findings.Add(finding);
                }

                if (found.Count == 0 && round.IsSlow && Interlocked.Increment(ref _keptWaits) <= (round.IsVerySlow ? 2 * MaxKeptWaits : MaxKeptWaits))
                {
                    await KeepAsync("slow-" + plan.Session, Lines(round));
                }

                if (found.Count > 0 && Interlocked.Increment(ref _keptFailures) <= MaxKeptFailures)
                {
                    await KeepAsync(plan.Session, [.. found.Select(finding => finding.ToString()), "", .. Lines(round)]);
                    await log.WriteLineAsync($"{_clock.Now.TotalSeconds,8:F1} s  {found[0].Kind} in {plan.Session}");
                }
            }
            catch (OperationCanceledException)
            {
                if (_clock.Now > TimeSpan.FromMinutes(options.Minutes) && isOver())
                {
                    await log.WriteLineAsync($"{plan.Session} was cut off.");
                }

                return;
            }
            catch (Exception fault)
            {
                // A fault of this program must not look like a session without findings.
                _findings.Add(new(FindingKind.Wrong, plan.Session, $"The round broke off: {fault}"));
            }
        }
    }

    /// <summary>The lines of all clients of a session, in the order of their times.</summary>
    private static IEnumerable<string> Lines(Round round) => round.Transcripts.SelectMany(transcript => transcript.Lines()).Order(StringComparer.Ordinal);

    private async Task KeepOutputsAsync(ChaosCluster cluster)
    {
        if (_findings.All.Count > 0)
        {
            foreach (var node in cluster.Nodes)
            {
                await KeepAsync($"node{node.Number}", node.Outputs);
            }
        }
    }

    private Task KeepAsync(string name, IEnumerable<string> lines)
    {
        Directory.CreateDirectory(options.Failures);
        return File.WriteAllLinesAsync(Path.Combine(options.Failures, $"{options.Seed}-{name}.txt"), lines);
    }

    private static HttpClient NewHttp()
    {
        // Short lives, so that requests do not share the fate of one old connection.
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromSeconds(10),
        };
        return new(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
