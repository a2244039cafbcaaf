using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Clients.Cases;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The clients of this repository under the conformance tool.</summary>
public sealed class ClientConformanceTests
{
    /// <summary>A page is not told the status of a refused upgrade, and Node's socket is one of a page.</summary>
    private static readonly string[] UnseenByPages = ["2.upgrade-400", "2.upgrade-404"];

    [Theory]
    [InlineData(ClientPrograms.JavaScript)]
    [InlineData(ClientPrograms.Python)]
    [InlineData(ClientPrograms.DotNet)]
    public async Task Client_PassesAllCases(string client)
    {
        var start = ClientPrograms.Require(client);
        using var output = new StringWriter();

        var results = await ClientVerb.TryAsync(ClientCases.All, ConformanceRuns.Options("client"), start, output);

        ConformanceRuns.HavePassed(results, output, client == ClientPrograms.JavaScript ? UnseenByPages : []);
    }

    [Theory]
    [InlineData("12.first-attach")]
    [InlineData("12.drop")]
    [InlineData("12.asked-again")]
    [InlineData("4.run")]
    public async Task AClientThatKeepsToTheProtocol_PassesTheCase(string name) => Assert.Equal(CaseOutcome.Passed, (await TryReferenceAsync(name)).Outcome);

    /// <summary>The test kit's client has no heartbeats, timers or look-ups of its own. The tool must say so.</summary>
    [Theory]
    [InlineData("12.gap")]
    [InlineData("12.counts")]
    [InlineData("7.moving")]
    [InlineData("7.close-4104")]
    public async Task AClientThatLacksSomething_FailsTheCaseOfIt(string name)
    {
        var result = await TryReferenceAsync(name);

        Assert.Equal(CaseOutcome.Failed, result.Outcome);
        Assert.False(string.IsNullOrEmpty(result.Expected) || string.IsNullOrEmpty(result.Got));
    }

    private static async Task<CaseResult> TryReferenceAsync(string name)
    {
        using var output = new StringWriter();
        var options = new Conformance.ConformanceOptions { Verb = "client", AtATime = 1, Patience = TimeSpan.FromSeconds(2) };
        return Assert.Single(await ClientVerb.TryAsync(
            [.. ClientCases.All.Where(each => each.Name == name)], options, () => new ReferenceClientUnderTest(), output));
    }
}
