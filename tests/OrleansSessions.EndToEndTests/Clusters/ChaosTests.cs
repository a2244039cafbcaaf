using OrleansSessions.Chaos;
using OrleansSessions.Chaos.Results;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>
/// A short run of the chaos program with a fixed seed. It runs alone, after all other tests: it needs the processor for itself, and would take it from others.
/// </summary>
[CollectionDefinition(nameof(ChaosTests), DisableParallelization = true)]
[Collection(nameof(ChaosTests))]
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task KillsFreezesDrainsDropsAndOutages_LoseNothing()
    {
        if (RedisProcess.Missing(RedisFlavour.RedisServer) is { } reason)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{reason} CI must run this test.");
            Assert.Skip(reason);
        }

        var options = new ChaosOptions { Seed = 43, Minutes = 1, Clients = 60 };
        using var log = new StringWriter();
        var report = await new ChaosRun(options, TextWriter.Synchronized(log)).RunAsync(CancellationToken.None);

        output.WriteLine($"{log}\n{report}");
        Assert.True(report.IsClean, report.ToString());
        // A run without faults or questions would find nothing, too.
        Assert.True(report.Count(CountNames.Kills) + report.Count(CountNames.Freezes) >= 3, report.ToString());
        Assert.True(report.Sum(CountNames.Drops) >= 50, report.ToString());
        Assert.True(report.Count(CountNames.Ended + "completed") >= 200, report.ToString());
    }
}
