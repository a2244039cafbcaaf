using OrleansSessions.Conformance.Cases;
using OrleansSessions.Conformance.Proxies;
using OrleansSessions.Conformance.Servers;
using OrleansSessions.Conformance.Servers.Cases;
using OrleansSessions.EndToEndTests.Servers;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The conformance tool passes this server, and names what a wrong server does.</summary>
public sealed class ServerConformanceTests(ExternalServerFixture external, EchoServerFixture echo)
    : IClassFixture<ExternalServerFixture>, IClassFixture<EchoServerFixture>
{
    [Fact]
    public async Task Server_AnsweredFromOutside_PassesAllCases()
    {
        using var output = new StringWriter();

        var results = await ServerVerb.TryAsync(ServerCases.All, ConformanceRuns.Options("server", external.Server.Address), output);

        ConformanceRuns.HavePassed(results, output);
    }

    [Fact]
    public async Task Server_ThatEchoes_PassesAllCasesButThoseOfAnswersFromOutside()
    {
        using var output = new StringWriter();

        var results = await ServerVerb.TryAsync(ServerCases.All, ConformanceRuns.Options("server", echo.Server.Address), output);

        ConformanceRuns.HavePassed(results, output, "11.answer-whole", "11.answer-pieces", "11.answer-lines");
    }

    [Theory]
    [InlineData(nameof(Damage.DroppedDelta), "4.answer")]
    [InlineData(nameof(Damage.RepeatedNumber), "4.answer")]
    [InlineData(nameof(Damage.RepeatedFrame), "4.followers")]
    [InlineData(nameof(Damage.WrongCounts), "4.answer")]
    [InlineData(nameof(Damage.BusyMessage), "3.busy")]
    [InlineData(nameof(Damage.CloseCode), "9.binary")]
    [InlineData(nameof(Damage.NoReplayMark), "5.resume")]
    [InlineData(nameof(Damage.ShortReplay), "5.resume-from-start")]
    [InlineData(nameof(Damage.HelloWithoutLimits), "4.hello")]
    [InlineData(nameof(Damage.NoSnapshot), "5.fresh-socket")]
    [InlineData(nameof(Damage.RetryableLies), "6.cancel-unknown")]
    [InlineData(nameof(Damage.SecondDone), "6.cancel")]
    [InlineData(nameof(Damage.ProblemCode), "11.busy")]
    [InlineData(nameof(Damage.StoredText), "11.answer-pieces")]
    public async Task Server_WithADamage_FailsTheCaseOfIt(string damage, string name)
    {
        await using var proxy = await FrameProxy.StartAsync(new DamagePlan(external.Server.Address, Enum.Parse<Damage>(damage)));
        using var output = new StringWriter();

        var results = await ServerVerb.TryAsync(
            [.. ServerCases.All.Where(each => each.Name == name)], ConformanceRuns.Options("server", proxy.Address), output);

        var result = Assert.Single(results);
        Assert.Equal(CaseOutcome.Failed, result.Outcome);
        // A failure is for people: it says what was expected, and shows what went both ways.
        Assert.Contains($"FAIL  {name}", output.ToString());
        Assert.Contains("expected  ", output.ToString());
        Assert.Contains("server     ", output.ToString());
        Assert.DoesNotContain("nothing of the kind", result.Got);
    }

    [Fact]
    public async Task Server_BehindAProxyThatDamagesNothing_PassesTheCasesThatADamageFails()
    {
        await using var proxy = await FrameProxy.StartAsync(new DamagePlan(external.Server.Address, Damage.None));
        using var output = new StringWriter();
        string[] names =
        [
            "4.answer", "4.followers", "3.busy", "9.binary", "5.resume", "5.resume-from-start", "4.hello", "5.fresh-socket", "6.cancel-unknown", "6.cancel",
            "11.busy",
            "11.answer-pieces",
        ];

        var results = await ServerVerb.TryAsync(
            [.. ServerCases.All.Where(each => names.Contains(each.Name))], ConformanceRuns.Options("server", proxy.Address), output);

        Assert.Equal(names.Length, results.Count);
        ConformanceRuns.HavePassed(results, output);
    }
}
