using System.Text.Json;
using OrleansSessions.Benchmarks.Abuse;
using OrleansSessions.Benchmarks.Churn;
using OrleansSessions.Benchmarks.Failover;
using OrleansSessions.Benchmarks.Results;
using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks;

/// <summary>One run, from the start of the first server to the table. Read <see cref="RunAsync"/> first.</summary>
internal sealed class BenchmarkRun(BenchmarkOptions options, TextWriter output)
{
    private readonly Measurements _measurements = new();
    private readonly string _serverPath = options.ServerPath ?? Contenders.DefaultServerPath;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // 1. Use the same runtime settings for all servers: those that this server was built with.
        var runtimeConfig = Path.ChangeExtension(_serverPath, ".runtimeconfig.json");
        var settings = DescribeSettings(runtimeConfig);
        output.WriteLine(settings);
        var contenders = options.Servers.Select(name => Contenders.Create(name, _serverPath)).ToArray();
        foreach (var contender in contenders)
        {
            output.WriteLine($"  {contender.Name,-9} {contender.Description}");
        }

        // 2. Speed: all servers run at the same time and are measured in turns.
        var speed = new SpeedMeasures(options, _measurements, output);
        await speed.RunAsync(contenders, runtimeConfig, cancellationToken);

        // 3. Storage: this server with its sessions in memory, in a file and in Redis, in the same way.
        if (options.Measures.Contains(BenchmarkOptions.Storage))
        {
            await using var storages = await StorageContenders.StartAsync(_serverPath, cancellationToken);
            await speed.RunStorageAsync(storages.All, runtimeConfig, cancellationToken);
        }

        // 4. Memory: a new process for each figure, because a process that has worked returns little memory.
        if (options.Measures.Contains(BenchmarkOptions.Memory))
        {
            await new MemoryMeasure(options, _measurements, output).RunAsync(contenders, runtimeConfig, cancellationToken);
        }

        // 5. Abuse: a new process with the limits that everyone gets.
        if (options.Measures.Contains(BenchmarkOptions.Abuse))
        {
            await new AbuseMeasure(options, _measurements, output).RunAsync(Contenders.WithDefaultLimits(_serverPath), runtimeConfig, cancellationToken);
        }

        // 6. Clusters on Redis: what a lost node costs, and how fast a cancel crosses them.
        if (options.Measures.Contains(BenchmarkOptions.Failover))
        {
            await new FailoverMeasure(options, _measurements, output).RunAsync(_serverPath, runtimeConfig, cancellationToken);
        }

        if (options.Measures.Contains(BenchmarkOptions.Cancel))
        {
            await new CancelMeasure(options, _measurements, output).RunAsync(_serverPath, runtimeConfig, cancellationToken);
        }

        // 7. What stays of sessions that come and go.
        if (options.Measures.Contains(BenchmarkOptions.Churn))
        {
            await new ChurnMeasure(options, _measurements, output).RunAsync(_serverPath, runtimeConfig, cancellationToken);
        }

        // 8. Report.
        output.WriteLine();
        ResultTable.Write(output, _measurements, options.Servers);
        ResultTable.Write(
            output, _measurements, [StorageContenders.Memory, StorageContenders.File, StorageContenders.Redis],
            [(StorageContenders.File, StorageContenders.Memory), (StorageContenders.Redis, StorageContenders.Memory)]);
        Targets.Write(output, _measurements);
        if (options.JsonPath is not null)
        {
            await JsonReport.WriteAsync(options.JsonPath, settings, _measurements, cancellationToken);
        }
    }

    private string DescribeSettings(string runtimeConfig)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(runtimeConfig));
        var isServerGC = json.RootElement.GetProperty("runtimeOptions").TryGetProperty("configProperties", out var properties)
            && properties.TryGetProperty("System.GC.Server", out var value)
            && value.ValueKind == JsonValueKind.True;
        return $"{Configuration}, {(isServerGC ? "server" : "workstation")} GC in all servers, logging from Warning, {Environment.ProcessorCount} processors, "
            + $".NET {Environment.Version}; {options.Repeat} interleaved rounds of {options.Duration.TotalSeconds:0.##} s; load from this process";
    }

#if DEBUG
    private const string Configuration = "DEBUG BUILD: the figures are meaningless";
#else
    private const string Configuration = "Release";
#endif
}
