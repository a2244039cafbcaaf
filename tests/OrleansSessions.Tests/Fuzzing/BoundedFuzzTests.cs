using OrleansSessions.Fuzz;
using Xunit;

namespace OrleansSessions.Tests.Fuzzing;

/// <summary>A short run of the fuzzer with a fixed seed. It runs alone, because it looks at the memory of this process, too.</summary>
[CollectionDefinition(nameof(BoundedFuzzTests), DisableParallelization = true)]
[Collection(nameof(BoundedFuzzTests))]
public sealed class BoundedFuzzTests
{
    private const int Seed = 1;

    [Theory]
    [InlineData(FuzzKinds.Messages, 20_000)]
    [InlineData(FuzzKinds.Frames, 2_000)]
    [InlineData(FuzzKinds.Requests, 3_000)]
    public async Task RandomAndDamagedInput_IsRefusedAsTheProtocolSays_AndLeavesNothingBehind(string kind, int inputs)
    {
        var report = await FuzzKinds.RunAsync(kind, inputs, Seed);

        Assert.True(report.IsClean, report.ToString());
    }
}
