using OrleansSessions.Chaos;
using OrleansSessions.Chaos.Plans;
using Xunit;

namespace OrleansSessions.Tests.ChaosRuns;

/// <summary>A run can be repeated: its faults and questions follow from the seed alone.</summary>
public sealed class FaultPlanTests
{
    private const int Faults = 500;

    [Fact]
    public void TheSameSeed_MakesTheSamePlan_AndAnotherSeedAnotherOne()
    {
        Assert.Equal(Processes(1), Processes(1));
        Assert.NotEqual(Processes(1), Processes(2));
        Assert.Equal(Links(1), Links(1));
        Assert.NotEqual(Links(1), Links(2));
        Assert.Equal(RoundPlan.Places(1, 200), RoundPlan.Places(1, 200));
        Assert.NotEqual(RoundPlan.Places(1, 200), RoundPlan.Places(2, 200));
        Assert.Equal(Questions(1, 7), Questions(1, 7));
        Assert.NotEqual(Questions(1, 7), Questions(1, 8));
        Assert.NotEqual(Questions(1, 7), Questions(2, 7));
    }

    // The numbers themselves, so that a change of the plan is seen: seeds that were written down mean something else then.
    [Fact]
    public void ASeedMeansTheSameOnEveryMachine() => Assert.Equal(
        ["Freeze", "Kill", "Kill", "RedisCut", "Freeze", "Kill"], Processes(1).Take(6).Select(fault => fault.Kind.ToString()));

    [Fact]
    public void AMixedPlan_HasEveryKind_AndMostlyKillsAndFreezes()
    {
        Assert.Equal(Enum.GetValues<ProcessFaultKind>(), Processes(1).Select(fault => fault.Kind).Distinct().Order());
        Assert.InRange(Processes(1).Count(fault => fault.Kind is ProcessFaultKind.Kill or ProcessFaultKind.Freeze), Faults * 7 / 10, Faults * 9 / 10);
        Assert.Equal(Enum.GetValues<LinkFaultKind>(), Links(1).Select(fault => fault.Kind).Distinct().Order());
        Assert.InRange(Links(1).Sum(fault => fault.Gap.TotalSeconds), Faults * 0.15, Faults * 0.25);
    }

    [Theory]
    [InlineData("Kills", "Kill")]
    [InlineData("Freezes", "Freeze")]
    [InlineData("Drains", "Drain")]
    [InlineData("Rolling", "Rolling")]
    [InlineData("Redis", "RedisFreeze", "RedisKill", "RedisDelay", "RedisStall", "RedisCut")]
    [InlineData("Drops")]
    public void AScope_HasOnlyItsFaults(string scope, params string[] kinds)
    {
        var only = Enum.Parse<FaultScope>(scope);
        Assert.Equal(kinds, FaultPlan.Processes(1, only).Take(Faults).Select(fault => fault.Kind).Distinct().Order().Select(kind => kind.ToString()));
        Assert.Equal(scope == "Drops", FaultPlan.Connections(1, only, clients: 200).Take(1).Any());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    [InlineData(300)]
    public void ThePlaces_AreAboutAsManyClientsAsAskedFor(int clients) =>
        Assert.InRange(RoundPlan.Places(1, clients).Sum(RoundPlan.ClientsOf), clients, clients + 1);

    [Fact]
    public void QuestionsOfARound_HaveTheirOwnIdsAndTexts()
    {
        var questions = Enumerable.Range(0, 50).SelectMany(round => Questions(1, round)).ToArray();
        Assert.Distinct(questions.Select(question => question.Id));
        Assert.Distinct(questions.SelectMany(question => new[] { question.Text, question.OtherText }));
        Assert.Equal(Enum.GetValues<QuestionTwist>().Except([QuestionTwist.WithoutId]), questions.Select(question => question.Twist).Distinct().Order());
    }

    [Theory]
    [InlineData("--seed 7 --minutes 40 --nodes 4 --clients 300 --only redis", true)]
    [InlineData("", true)]
    [InlineData("--seed", false)]
    [InlineData("--seed seven", false)]
    [InlineData("--nodes 1", false)]
    [InlineData("--clients 0", false)]
    [InlineData("--only floods", false)]
    [InlineData("--only 3", false)]
    [InlineData("--unknown 1", false)]
    [InlineData("--seed 1 --seed 2", false)]
    public void TheCommandLine_IsCheckedAsAWhole(string line, bool isValid) =>
        Assert.Equal(isValid, ChaosOptions.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) is not null);

    [Fact]
    public void TheReplayCommand_MakesTheSameRun()
    {
        var options = ChaosOptions.Parse("--seed 7 --minutes 0.5 --nodes 4 --clients 30 --only drops --json x".Split(' '))!;
        var replayed = ChaosOptions.Parse(options.Replay.Split(" -- ")[1].Split(' '))!;
        Assert.Equal(
            (options.Seed, options.Minutes, options.Nodes, options.Clients, options.Only),
            (replayed.Seed, replayed.Minutes, replayed.Nodes, replayed.Clients, replayed.Only));
    }

    private static ProcessFault[] Processes(int seed) => [.. FaultPlan.Processes(seed, FaultScope.All).Take(Faults)];

    private static LinkFault[] Links(int seed) => [.. FaultPlan.Connections(seed, FaultScope.All, clients: 200).Take(Faults)];

    private static IReadOnlyList<PlannedQuestion> Questions(int seed, int round) => RoundPlan.Of(seed, place: 3, RoundKind.V1, round, nodes: 3).Questions;
}
