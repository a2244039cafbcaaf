using CsCheck;
using OrleansSessions.Responders;
using Xunit;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>
/// Random interleavings of everything that can happen to one session, over several processes and a store that fails, against what clients have seen. A failure
/// prints its case and a seed: run it again with <c>CsCheck_Seed</c>. <c>CsCheck_Iter</c> is a number of other cases, <c>CsCheck_Time</c> the seconds for them.
/// </summary>
public sealed class SessionModelTests
{
    private static readonly string[] Settings = ["CsCheck_Time", "CsCheck_Iter", "CsCheck_Seed"];

    private const int Cases = 2_000;

    /// <summary>The same cases each time, so that a failure belongs to the change that is tested.</summary>
    [Fact]
    public void WhateverHappens_WhatClientsSawStays_AndTheInvariantsHold()
    {
        for (var number = 1ul; number <= Cases; number++)
        {
            var random = new PCG(1, number);
            var seed = random.ToString();
            var modelCase = ModelCase.Any.Generate(random, null, out _);
            try
            {
                Play(modelCase);
            }
            catch (Exception fault)
            {
                throw new BrokenException($"{fault.Message} (CsCheck_Seed={seed})\n{modelCase}", fault);
            }
        }
    }

    /// <summary>Other cases each time, for as long as the environment says.</summary>
    [Fact]
    public void WhateverElseHappens_TheSameHolds()
    {
        Assert.SkipUnless(Array.Exists(Settings, name => Environment.GetEnvironmentVariable(name) is not null), $"Set one of {string.Join(", ", Settings)}.");
        ModelCase.Any.Sample(Play, print: static modelCase => modelCase.ToString());
    }

    [Fact]
    public void AWriteThatWaits_IsNotDoneOnceTheActivationWasGivenUp() => Play(
        new(RecoveryMode.Fail, 2, 24, 2_000, 1_000, 100_000,
            [new(StepKind.Ask, 0, 5, 1), new(StepKind.Say, 0, 79, 1), new(StepKind.Fault, 723, 5, 1), new(StepKind.Ask, 857, 5, 707)]));

    [Fact]
    public void AQuestionThatIsForgottenWhileItsPageIsWritten_StaysForgotten() => Play(
        new(RecoveryMode.Fail, 1, 6, 2_000, 20, 4_000,
            [
                new(StepKind.Ask, 0, 5, 1), new(StepKind.Hold, 0, 0, 0), new(StepKind.Say, 0, 867, 1), new(StepKind.EndAnswer, 0, 5, 1),
                new(StepKind.Sleep, 0, 0, 0), new(StepKind.Ask, 789, 5, 1), new(StepKind.Cancel, 0, 5, 1),
            ]));

    [Fact]
    public void ARemoval_AlsoRemovesTheChunksOfWhatIsForgottenByIt() => Play(
        new(RecoveryMode.Fail, 2, 2, 12_000, 3, 0,
            [new(StepKind.Ask, 0, 5, 1), new(StepKind.Say, 0, 18, 1), new(StepKind.Ask, 45, 5, 1), new(StepKind.Remove, 0, 0, 0), new(StepKind.Ask, 0, 5, 1)]));

    [Fact]
    public void ARemoval_WaitsForTheChunkThatIsBeingWritten() => Play(
        new(RecoveryMode.Continue, 2, 2, 12_000, 1_000, 4_000,
            [
                new(StepKind.Ask, 0, 5, 1), new(StepKind.Say, 0, 418, 1), new(StepKind.Hold, 0, 0, 0), new(StepKind.Checkpoint, 0, 0, 0),
                new(StepKind.Remove, 0, 0, 0), new(StepKind.Ask, 0, 5, 1),
            ]));

    [Fact]
    public void AnAnswerThatIsForgottenWhileItIsSaved_GetsNoMoreChunks() => Play(
        new(RecoveryMode.Fail, 2, 24, 2_000, 1_000, 100_000,
            [
                new(StepKind.Ask, 26, 5, 1), new(StepKind.Hold, 0, 0, 0), new(StepKind.Ask, 150, 5, 1), new(StepKind.Say, 0, 329, 1),
                new(StepKind.Ask, 0, 5, 907), new(StepKind.Checkpoint, 0, 0, 0),
            ]));

    [Fact]
    public void AnAnswerThatEndsWhileItIsSaved_LeavesNoChunkBehind() => Play(
        new(RecoveryMode.Continue, 1, 2, 2_000, 3, 0,
            [
                new(StepKind.Ask, 7, 5, 1), new(StepKind.Say, 0, 8, 1), new(StepKind.Hold, 0, 0, 0), new(StepKind.Ask, 5, 5, 1),
                new(StepKind.Ask, 5, 10, 1), new(StepKind.Say, 0, 4, 1), new(StepKind.Checkpoint, 0, 0, 0), new(StepKind.EndAnswer, 0, 2, 0),
            ]));

    /// <summary>The process hangs before it has told anyone that it removes the session, or in the middle of that.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ARemovalInAProcessThatHung_DeletesNothingOfWhatIsThereNow(bool isUnderWay) => Play(
        new(RecoveryMode.Continue, 3, 6, 200_000, 20, 100_000,
            [
                new(StepKind.Ask, 535, 583, 808), new(isUnderWay ? StepKind.Say : StepKind.Pass, 413, 869, 926), new(StepKind.EndAnswer, 207, 317, 813),
                new(StepKind.Hold, 0, 0, 0), new(StepKind.Remove, 0, 0, 0), new(isUnderWay ? StepKind.Finish : StepKind.Hold, 0, 0, 0),
                new(StepKind.Hang, 0, 0, 0), new(StepKind.Ask, 179, 299, 49), new(StepKind.Resume, 0, 0, 0), new(StepKind.Say, 663, 869, 604), new(StepKind.EndAnswer, 207, 317, 813),
            ]));

    private static void Play(ModelCase modelCase) => new ModelRun(modelCase).Play();
}
