using OrleansSessions.Benchmarks.Clusters;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Failover;

/// <summary>Loses one of three nodes in the middle of its answers, and measures how long its sessions are away and what becomes of the answers.</summary>
internal sealed class FailoverMeasure(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private const int Nodes = 3;

    public async Task RunAsync(string serverPath, string runtimeConfig, CancellationToken cancellationToken)
    {
        foreach (var kind in Enum.GetValues<LossKind>())
        {
            output.Write($"{BenchmarkOptions.Failover}: {LossRun.Lost} sessions of a node that is {kind}, {LossRun.Others} of others,");
            var result = new LossResult();
            for (var round = 1; round <= options.FailoverRepeat; round++)
            {
                output.Write($" {round}");

                // New processes each time, because a node is gone afterwards.
                await using var cluster = await ServerCluster.StartAsync(Nodes, serverPath, runtimeConfig, LossRun.Settings, cancellationToken);
                await using var run = new LossRun(cluster, kind, result);
                await run.RunAsync(cancellationToken);
            }

            output.WriteLine();
            foreach (var mistake in result.Mistakes.Take(5))
            {
                output.WriteLine($"  {mistake}");
            }

            if (result.Reasons.Count > 0)
            {
                output.WriteLine($"  answers that are not whole ended {string.Join(", ", result.Reasons)}");
            }

            Keep(kind, result);
        }
    }

    private void Keep(LossKind kind, LossResult result)
    {
        var figures = FailoverFigures.Of(kind);
        KeepTimes(figures.ReadMedian, figures.ReadTail, result.Read);
        KeepTimes(figures.AttachMedian, figures.AttachTail, result.Attached);
        KeepTimes(figures.EventMedian, figures.EventTail, result.EventAgain);
        KeepTimes(figures.TextMedian, figures.TextTail, result.TextAgain);
        Keep(figures.Whole, result.Ends.Count(end => end == AnswerEnd.Whole));
        Keep(figures.Lost, result.Ends.Count(end => end == AnswerEnd.Lost));
        Keep(figures.OthersLost, result.OtherEnds.Count(end => end == AnswerEnd.Lost));
        Keep(figures.Wrong, result.Ends.Concat(result.OtherEnds).Count(end => end is AnswerEnd.Wrong or AnswerEnd.None));
        if (kind == LossKind.Frozen)
        {
            Keep(FailoverFigures.Cut, result.Cut.Max());
            Keep(FailoverFigures.Gone, result.Gone.Max());
        }
    }

    private void KeepTimes(Figure median, Figure tail, List<double> times)
    {
        Keep(median, Percentiles.Of(times, 0.5));
        Keep(tail, Percentiles.Of(times, 0.99));
    }

    private void Keep(Figure figure, double value) => measurements.Add(figure, Contenders.Sessions, 1, value);
}
