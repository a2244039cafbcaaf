using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks;

/// <summary>Measures rounds, latency, pieces and storage. Every server runs during all of it, and they take turns.</summary>
internal sealed class SpeedMeasures(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private const int RoundSockets = 200;
    private const int PieceSockets = 50;
    private const int StorageSockets = 50;

    /// <summary>Measures what the options ask for and is not the storage.</summary>
    public Task RunAsync(IReadOnlyList<Contender> contenders, string runtimeConfig, CancellationToken cancellationToken)
    {
        (string Name, Func<ServerProcess, int?, CancellationToken, Task> Measure)[] measures =
            [(BenchmarkOptions.Rounds, RoundsAsync), (BenchmarkOptions.Latency, LatencyAsync), (BenchmarkOptions.Pieces, PiecesAsync)];
        var wanted = measures.Where(measure => options.Measures.Contains(measure.Name)).ToArray();
        return wanted.Length == 0 ? Task.CompletedTask : MeasureAsync(contenders, wanted, runtimeConfig, cancellationToken);
    }

    /// <summary>Measures what keeping sessions somewhere costs.</summary>
    public Task RunStorageAsync(IReadOnlyList<Contender> contenders, string runtimeConfig, CancellationToken cancellationToken) =>
        MeasureAsync(contenders, [(BenchmarkOptions.Storage, StorageAsync)], runtimeConfig, cancellationToken);

    private async Task MeasureAsync(
        IReadOnlyList<Contender> contenders, (string Name, Func<ServerProcess, int?, CancellationToken, Task> Measure)[] wanted, string runtimeConfig,
        CancellationToken cancellationToken)
    {
        var servers = new List<ServerProcess>();
        try
        {
            foreach (var contender in contenders)
            {
                servers.Add(await ServerProcess.StartAsync(contender, runtimeConfig, cancellationToken));
            }

            foreach (var (name, measure) in wanted)
            {
                await TakeTurnsAsync(name, servers, measure, cancellationToken);
            }
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Runs warm-up rounds that are not recorded, then A B C, A B C and so on.</summary>
    private async Task TakeTurnsAsync(
        string name, List<ServerProcess> servers, Func<ServerProcess, int?, CancellationToken, Task> measure, CancellationToken cancellationToken)
    {
        output.Write($"{name}:");
        for (var round = 1 - options.WarmUpRounds; round <= options.Repeat; round++)
        {
            output.Write(round < 1 ? " warm-up" : $" {round}");
            foreach (var server in servers)
            {
                await measure(server, round < 1 ? null : round, cancellationToken);
            }
        }

        output.WriteLine();
    }

    private async Task RoundsAsync(ServerProcess server, int? round, CancellationToken cancellationToken)
    {
        var (result, processor, load) = await LoadAsync(server, RoundSockets, server.Contender.OneFrame, cancellationToken);
        Keep(Figure.Rounds, server, round, result.Answers / result.Elapsed.TotalSeconds);
        Keep(Figure.RoundsProcessor, server, round, processor.TotalMicroseconds / result.Answers);
        Keep(Figure.RoundsLoad, server, round, load.TotalMicroseconds / result.Answers);
    }

    private async Task StorageAsync(ServerProcess server, int? round, CancellationToken cancellationToken)
    {
        var (result, processor, load) = await LoadAsync(server, StorageSockets, server.Contender.OneFrame, cancellationToken);
        Keep(Figure.StorageRounds, server, round, result.Answers / result.Elapsed.TotalSeconds);
        Keep(Figure.StorageProcessor, server, round, processor.TotalMicroseconds / result.Answers);
        Keep(Figure.StorageLoad, server, round, load.TotalMicroseconds / result.Answers);
    }

    private async Task PiecesAsync(ServerProcess server, int? round, CancellationToken cancellationToken)
    {
        var (result, processor, load) = await LoadAsync(server, PieceSockets, server.Contender.Streaming, cancellationToken);
        Keep(Figure.Pieces, server, round, result.Pieces / result.Elapsed.TotalSeconds);
        Keep(Figure.PiecesProcessor, server, round, processor.TotalMicroseconds / result.Pieces);
        Keep(Figure.PiecesLoad, server, round, load.TotalMicroseconds / result.Pieces);
        Keep(Figure.PiecesFrames, server, round, (double)result.Frames / result.Answers);
    }

    private async Task LatencyAsync(ServerProcess server, int? round, CancellationToken cancellationToken)
    {
        var askers = await LoadGenerator.AttachAsync(1, _ => server.Contender.OneFrame(server.WebSocket, RoundSockets), cancellationToken);
        await LoadGenerator.TimeAsync(askers[0], LeadIn, cancellationToken);
        var waits = await LoadGenerator.TimeAsync(askers[0], options.Duration, cancellationToken);
        await LoadGenerator.CloseAsync(askers);
        Keep(Figure.LatencyMedian, server, round, waits[waits.Length / 2]);
        Keep(Figure.LatencyTail, server, round, waits[waits.Length * 99 / 100]);
    }

    /// <summary>Sockets are opened for each turn, so that none is idle long enough for a server to close it.</summary>
    private async Task<(LoadResult Result, TimeSpan Processor, TimeSpan Load)> LoadAsync(
        ServerProcess server, int sockets, Func<Uri, int, Asker> client, CancellationToken cancellationToken)
    {
        var askers = await LoadGenerator.AttachAsync(sockets, slot => client(server.WebSocket, slot), cancellationToken);
        await LoadGenerator.RunAsync(askers, LeadIn, cancellationToken);
        var (before, loadBefore) = (server.ProcessorTime, Environment.CpuUsage.TotalTime);
        var result = await LoadGenerator.RunAsync(askers, options.Duration, cancellationToken);
        var (processor, load) = (server.ProcessorTime - before, Environment.CpuUsage.TotalTime - loadBefore);
        await LoadGenerator.CloseAsync(askers);
        return (result, processor, load);
    }

    private TimeSpan LeadIn => options.Duration / 10;

    private void Keep(Figure figure, ServerProcess server, int? round, double value)
    {
        if (round is { } number)
        {
            measurements.Add(figure, server.Contender.Name, number, value);
        }
    }
}
