using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks;

/// <summary>Measures the memory of an idle attached session: the growth of a new server, divided by the number of sessions.</summary>
internal sealed class MemoryMeasure(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private const int WarmUpSessions = 50;

    public async Task RunAsync(IReadOnlyList<Contender> contenders, string runtimeConfig, CancellationToken cancellationToken)
    {
        output.Write($"{BenchmarkOptions.Memory}: {options.MemorySessions:N0} sessions,");
        for (var round = 1; round <= options.MemoryRepeat; round++)
        {
            output.Write($" {round}");
            foreach (var contender in contenders)
            {
                await MeasureAsync(contender, round, runtimeConfig, cancellationToken);
            }
        }

        output.WriteLine();
    }

    private async Task MeasureAsync(Contender contender, int round, string runtimeConfig, CancellationToken cancellationToken)
    {
        await using var server = await ServerProcess.StartAsync(contender, runtimeConfig, cancellationToken);

        // 1. Load the code, pools and threads that every session needs before the first reading.
        var first = await AttachAsync(server, from: options.MemorySessions, WarmUpSessions, cancellationToken);
        await LoadGenerator.AskOnceAsync(first, cancellationToken);
        await LoadGenerator.CloseAsync(first);
        var before = await server.SettleAsync(cancellationToken);

        // 2. Measure sessions that are attached and have never asked.
        var askers = await AttachAsync(server, from: 0, options.MemorySessions, cancellationToken);
        var idle = await server.SettleAsync(cancellationToken);
        Keep(Figure.IdleMemory, Figure.IdleHeap, server, round, before, idle);

        // 3. Measure sessions that are attached, have asked once and are idle again.
        await LoadGenerator.AskOnceAsync(askers, cancellationToken);
        var asked = await server.SettleAsync(cancellationToken);
        Keep(Figure.AskedMemory, Figure.AskedHeap, server, round, before, asked);
        await LoadGenerator.CloseAsync(askers);
    }

    private static Task<IReadOnlyList<Asker>> AttachAsync(ServerProcess server, int from, int count, CancellationToken cancellationToken) =>
        LoadGenerator.AttachAsync(count, slot => server.Contender.Attached(server.WebSocket, from + slot), cancellationToken);

    private void Keep(Figure resident, Figure heap, ServerProcess server, int round, MemoryReading before, MemoryReading after)
    {
        var name = server.Contender.Name;
        measurements.Add(resident, name, round, PerSession(after.WorkingSetBytes - before.WorkingSetBytes));
        measurements.Add(heap, name, round, PerSession(after.HeapBytes - before.HeapBytes));
    }

    private double PerSession(long bytes) => bytes / 1024.0 / options.MemorySessions;
}
