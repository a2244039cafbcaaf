using OrleansSessions.Conformance;
using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Clients.Cases;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The clients of this repository under the conformance tool.</summary>
public sealed class ClientConformanceTests(ClientPrograms programs) : IClassFixture<ClientPrograms>
{
    /// <summary>A page is not told the status of a refused upgrade, and Node's socket is one of a page.</summary>
    private static readonly string[] UnseenByPages = ["2.upgrade-400"];

    [Theory]
    [InlineData(ClientPrograms.JavaScript)]
    [InlineData(ClientPrograms.Python)]
    [InlineData(ClientPrograms.DotNet)]
    public async Task Client_PassesAllCases(string client)
    {
        var start = programs.Require(client);
        using var output = new StringWriter();

        var results = await ClientVerb.TryAsync(ClientCases.All, ConformanceRuns.Options("client"), start, output);

        ConformanceRuns.HavePassed(results, output, client == ClientPrograms.JavaScript ? UnseenByPages : []);
        // The protocol lets a program ask again what was accepted. These clients leave that to their callers.
        Assert.Empty(results.Where(result => result.Choice is not null).Select(result => $"{result.Name}: {result.Choice}"));
    }

    [Theory]
    [InlineData("12.first-attach")]
    [InlineData("12.drop")]
    [InlineData("4.followed")]
    [InlineData("4.run")]
    public async Task AClientThatKeepsToTheProtocol_PassesTheCase(string name)
    {
        var result = await TryAsync(name, () => new ReferenceClientUnderTest(), TimeSpan.FromSeconds(20));

        Assert.True(result.Outcome == CaseOutcome.Passed, $"{result.Expected}: {result.Got}");
    }

    /// <summary>The test kit's client does not look a question up: it sends it again, as a program may.</summary>
    [Theory]
    [InlineData("12.lost")]
    [InlineData("12.ended-meanwhile")]
    public async Task AClientThatAsksAgain_PassesTheCase_WhichSaysSo(string name)
    {
        var result = await TryAsync(name, () => new ReferenceClientUnderTest(), TimeSpan.FromSeconds(20));

        Assert.True(result.Outcome == CaseOutcome.Passed, $"{result.Expected}: {result.Got}");
        Assert.Equal(ClientScene.AskedAgain, result.Choice);
    }

    [Fact]
    public async Task AClientThatEndsAQuestionTwice_FailsTheCase_AfterItsLastStep()
    {
        var result = await TryAsync("4.followed", () => new RepeatingClient(new ReferenceClientUnderTest(), "ended", "live"), TimeSpan.FromSeconds(20));

        Assert.Equal((CaseOutcome.Failed, "one end of each question"), (result.Outcome, result.Expected));
    }

    /// <summary>The test kit's client has no heartbeats, timers or look-ups of its own. The tool must say so.</summary>
    [Theory]
    [InlineData("12.gap")]
    [InlineData("12.counts")]
    [InlineData("7.moving")]
    public async Task AClientThatLacksSomething_FailsTheCaseOfIt(string name)
    {
        var result = await TryAsync(name, () => new ReferenceClientUnderTest(), TimeSpan.FromSeconds(0.5));

        Assert.Equal(CaseOutcome.Failed, result.Outcome);
        Assert.False(string.IsNullOrEmpty(result.Expected) || string.IsNullOrEmpty(result.Got));
    }

    [Fact]
    public async Task AProgramThatEndsAtOnce_FailsWithItsExitCode()
    {
        var result = await TryAsync("12.first-attach", () => new InProcessClient((_, _) => Task.FromResult(3)), TimeSpan.FromSeconds(20));

        Assert.Equal("the end of the program, with 3", result.Got);
    }

    [Fact]
    public async Task AProgramThatWritesNoJson_FailsWithWhatItWrote()
    {
        await using var client = new InProcessClient(async (input, output) =>
        {
            await output.WriteLineAsync("connected");
            await input.ReadToEndAsync();
            return 0;
        });
        var fault = await Assert.ThrowsAsync<CaseFailedException>(async () => await client.NextAsync(CancellationToken.None));

        Assert.Equal(("one JSON object a line on the standard output", "connected"), (fault.Expected, fault.Got));
    }

    private static async Task<CaseResult> TryAsync(string name, Func<IClientUnderTest> start, TimeSpan patience)
    {
        using var output = new StringWriter();
        var options = new ConformanceOptions { Verb = "client", AtATime = 1, Patience = patience };
        return Assert.Single(await ClientVerb.TryAsync([.. ClientCases.All.Where(each => each.Name == name)], options, start, output));
    }
}
