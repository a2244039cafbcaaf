using System.Diagnostics;
using System.Globalization;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Churn;

/// <summary>
/// Lets many sessions come and go, waits until they are forgotten, and measures what is left of them. In rounds, because what is left once and does not grow is
/// the size that the process has grown to, and what is left in each round is a leak.
/// </summary>
internal sealed class ChurnMeasure(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(2);

    /// <summary>Nothing more goes after this time without a change: the longest wait of the server without a trace outside is the minute of idle grains.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(90);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    public async Task RunAsync(string serverPath, string runtimeConfig, CancellationToken cancellationToken)
    {
        await using var server = await ChurnServer.StartAsync(serverPath, runtimeConfig, cancellationToken);
        using var clients = new ChurnClients(server.Process);

        // 1. Load the code, pools and threads that every session needs.
        var empty = await ReadAsync(server, cancellationToken);
        await clients.RunAsync("warm", options.ChurnWarmUpSessions, cancellationToken);
        var start = await UntilGoneAsync(server, empty, cancellationToken);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{BenchmarkOptions.Churn}: {options.ChurnSessions:N0} sessions a round; after {options.ChurnWarmUpSessions:N0} to warm up: {Describe(start)}"));

        // 2. The rounds.
        for (var round = 1; round <= options.ChurnRounds; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await clients.RunAsync($"round-{round}", options.ChurnSessions, cancellationToken);
            var came = Stopwatch.GetElapsedTime(started);
            var peak = server.Process.WorkingSetBytes;
            var left = await UntilGoneAsync(server, start, cancellationToken);
            Keep(round, start, left);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  round {round}: {Describe(left)}; came within {came.TotalSeconds:N0} s, RSS was {peak / 1e6:N0} MB then"));
            foreach (var key in left.LastingKeys.Except(start.LastingKeys).Take(10))
            {
                output.WriteLine($"    left: {key}");
            }
        }
    }

    /// <summary>Waits until the sessions are forgotten, or until nothing changes any more.</summary>
    private static async Task<ChurnState> UntilGoneAsync(ChurnServer server, ChurnState start, CancellationToken cancellationToken)
    {
        var (began, changed) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        (long, long, long) last = default;
        while (Stopwatch.GetElapsedTime(changed) < Quiet && Stopwatch.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(PollPeriod, TimeProvider.System, cancellationToken);
            var (keys, expiring) = await server.CountKeysAsync();
            var activations = await server.ReadMetricAsync(ChurnServer.Activations, cancellationToken);
            if (expiring == 0 && keys <= start.LastingKeys.Count && activations <= start.Activations)
            {
                break;
            }

            if (last != (keys, expiring, activations))
            {
                (last, changed) = ((keys, expiring, activations), Stopwatch.GetTimestamp());
            }
        }

        return await ReadAsync(server, cancellationToken);
    }

    private static async Task<ChurnState> ReadAsync(ChurnServer server, CancellationToken cancellationToken) =>
        new(
            await server.Process.SettleAsync(cancellationToken), await server.ReadMetricAsync(ChurnServer.Activations, cancellationToken),
            await server.LastingKeysAsync(cancellationToken), (await server.CountKeysAsync()).Expiring);

    private void Keep(int round, ChurnState start, ChurnState left)
    {
        var ratio = 100.0;
        measurements.Add(Figure.ChurnHeap, Contenders.Sessions, round, ratio * left.Memory.HeapBytes / start.Memory.HeapBytes);
        measurements.Add(Figure.ChurnMemory, Contenders.Sessions, round, ratio * left.Memory.WorkingSetBytes / start.Memory.WorkingSetBytes);
        measurements.Add(Figure.ChurnBytes, Contenders.Sessions, round, (left.Memory.HeapBytes - start.Memory.HeapBytes) / (double)options.ChurnSessions);
        measurements.Add(Figure.ChurnKeys, Contenders.Sessions, round, left.LastingKeys.Count + left.ExpiringKeys - start.LastingKeys.Count - start.ExpiringKeys);
        measurements.Add(Figure.ChurnActivations, Contenders.Sessions, round, left.Activations - start.Activations);
    }

    private static string Describe(ChurnState state) => string.Create(CultureInfo.InvariantCulture,
        $"heap {state.Memory.HeapBytes / 1e6:N1} MB, RSS {state.Memory.WorkingSetBytes / 1e6:N1} MB, {state.LastingKeys.Count} keys that last, "
        + $"{state.ExpiringKeys} that expire, {state.Activations} grains");
}
