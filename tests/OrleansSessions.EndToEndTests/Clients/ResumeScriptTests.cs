using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Resuming;
using OrleansSessions.Conformance.Resuming.Cases;
using OrleansSessions.EndToEndTests.Servers;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The drop-and-resume script: each client loses its connections in mid-answer, and shows each answer whole and once.</summary>
public sealed class ResumeScriptTests(ExternalServerFixture server, LostNodeRun lostNode, ClientPrograms programs)
    : IClassFixture<ExternalServerFixture>, IClassFixture<LostNodeRun>, IClassFixture<ClientPrograms>
{
    [Theory]
    [InlineData(ClientPrograms.Reference)]
    [InlineData(ClientPrograms.JavaScript)]
    [InlineData(ClientPrograms.JavaScriptOverEvents)]
    [InlineData(ClientPrograms.Python)]
    [InlineData(ClientPrograms.DotNet)]
    public async Task Client_OverConnectionsThatAreCut_ShowsEachAnswerOnce(string client)
    {
        var start = programs.Require(client);
        using var output = new StringWriter();

        var results = await ResumeVerb.TryAsync(ResumeCases.All, ConformanceRuns.Options("resume", server.Server.Address), start, output);

        ConformanceRuns.HavePassed(results, output);
    }

    [Fact]
    public async Task Client_ThatShowsAPieceTwice_Fails()
    {
        using var output = new StringWriter();

        var results = await ResumeVerb.TryAsync(
            [.. ResumeCases.All.Where(each => each.Name == "12.own-answer")], ConformanceRuns.Options("resume", server.Server.Address),
            () => new RepeatingClient(new ReferenceClientUnderTest(), "text", "reconnecting"), output);

        Assert.Contains("the pieces since the last restart, joined", Assert.Single(results).Expected);
    }

    [Theory]
    [InlineData(ClientPrograms.Reference)]
    [InlineData(ClientPrograms.JavaScript)]
    [InlineData(ClientPrograms.JavaScriptOverEvents)]
    [InlineData(ClientPrograms.Python)]
    [InlineData(ClientPrograms.DotNet)]
    public async Task Client_OfTwoNodesOfWhichOneIsKilled_ShowsTheAnswerOnce(string client)
    {
        programs.Require(client);

        var (result, output) = await lostNode.ResultOfAsync(client, programs);

        Assert.True(result.Outcome == CaseOutcome.Passed, output);
    }
}
