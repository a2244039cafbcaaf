using System.Diagnostics;
using System.Globalization;
using OrleansSessions.Benchmarks.Load;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Abuse;

/// <summary>Honest clients beside hostile ones, at one server with its default limits: what the honest ones notice, and what the server's memory does.</summary>
internal sealed class AbuseMeasure(BenchmarkOptions options, Measurements measurements, TextWriter output)
{
    private const int Honest = 1000;
    private const int Hostile = 2000;
    private static readonly TimeSpan SamplePeriod = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(Contender contender, string runtimeConfig, CancellationToken cancellationToken)
    {
        output.WriteLine($"{BenchmarkOptions.Abuse}: {Honest:N0} honest sockets, {Hostile:N0} hostile ones of {HostileKinds.All.Count} kinds");
        await using var server = await ServerProcess.StartAsync(contender, runtimeConfig, cancellationToken);
        var askers = await LoadGenerator.AttachAsync(Honest, slot => contender.Attached(server.WebSocket, slot), cancellationToken);
        var clients = new HonestClients(askers);

        // 1. Warm up, then alone.
        await clients.RunAsync(options.Duration);
        var alone = await clients.RunAsync(options.AbuseDuration);
        var before = server.WorkingSetBytes;

        // 2. Beside the hostile ones. They have a lower priority, because on a real network they bring their own processors.
        using var hostile = Start(server.Http);
        hostile.PriorityClass = ProcessPriorityClass.BelowNormal;
        using var sampling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var peak = PeakAsync(server, sampling.Token);
        var beside = await clients.RunAsync(options.AbuseDuration * 2);
        await sampling.CancelAsync();

        // 3. Afterwards.
        hostile.Kill();
        await hostile.WaitForExitAsync(cancellationToken);
        var after = await clients.RunAsync(options.AbuseDuration / 2);
        Keep(Figure.AloneTail, alone);
        Keep(Figure.AbuseMedian, beside, share: 0.5);
        Keep(Figure.AbuseTail, beside);
        Keep(Figure.AfterTail, after);
        measurements.Add(Figure.AbuseClosed, contender.Name, 1, clients.Failures.Count);
        measurements.Add(Figure.AbuseMemory, contender.Name, 1, (await peak - before) / 1024.0 / 1024.0);
        foreach (var failure in clients.Failures.Take(3))
        {
            output.WriteLine($"  {failure.Message}");
        }

        await LoadGenerator.CloseAsync(askers);
    }

    private Process Start(Uri server)
    {
        var seconds = (int)Math.Ceiling((options.AbuseDuration * 3).TotalSeconds);
        return Process.Start(new ProcessStartInfo(
            Environment.ProcessPath!,
            [.. OwnArguments(), HostileClients.Command, server.GetLeftPart(UriPartial.Authority), Text(Hostile), Text(seconds)]))!;
    }

    /// <summary>This program can have been started by its own executable or by the dotnet host.</summary>
    private static string[] OwnArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(AbuseMeasure).Assembly.Location] : [];

    private static async Task<long> PeakAsync(ServerProcess server, CancellationToken stop)
    {
        var peak = server.WorkingSetBytes;
        while (!stop.IsCancellationRequested)
        {
            peak = Math.Max(peak, server.WorkingSetBytes);
            await Task.Delay(SamplePeriod, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return peak;
    }

    private void Keep(Figure figure, double[] waits, double share = 0.99) =>
        measurements.Add(figure, Contenders.Sessions, 1, waits[(int)(waits.Length * share)]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
