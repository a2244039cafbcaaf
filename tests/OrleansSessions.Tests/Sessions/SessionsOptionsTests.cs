using OrleansSessions.Configuration;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionsOptionsTests
{
    private readonly SectionValidator<SessionsOptions> _validator = new();

    [Fact]
    public void Defaults_AreValid() => Assert.True(_validator.Validate(null, new SessionsOptions()).Succeeded);

    [Fact]
    public void EveryMistake_IsToldAtOnce_WithItsKeyAndValue()
    {
        var options = new SessionsOptions
        {
            SilenceTimeout = TimeSpan.Zero,
            MaxAnswerBytes = 0,
            KeptQuestions = -3,
            MaxQuestionBytes = (96 * 1024) + 1,
            MaxQueuedQuestions = 1_001,
            CollectionAge = TimeSpan.FromSeconds(4),
            CoalesceWindow = TimeSpan.FromMinutes(1),
        };

        var failures = _validator.Validate(null, options).Failures!.ToList();

        Assert.Equal(7, failures.Count);
        Assert.Contains("Sessions:MaxQuestionBytes is 98305; it must be from 1 to 98304.", failures);
        Assert.Contains(failures, failure => failure.Contains("Sessions:SilenceTimeout is 00:00:00", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Contains("Sessions:KeptQuestions is -3", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Contains("Sessions:CollectionAge is 00:00:04", StringComparison.Ordinal));
    }
}
