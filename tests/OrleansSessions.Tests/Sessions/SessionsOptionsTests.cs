using OrleansSessions.Grains.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionsOptionsTests
{
    private readonly SessionsOptionsValidator _validator = new();

    [Fact]
    public void Defaults_AreValid() => Assert.True(_validator.Validate(null, new SessionsOptions()).Succeeded);

    [Fact]
    public void EveryMistake_IsToldAtOnce_WithItsKeyAndValue()
    {
        var options = new SessionsOptions
        {
            IdleTimeout = TimeSpan.Zero,
            MaxAnswerBytes = 0,
            KeptQuestions = -3,
            CollectionAge = TimeSpan.FromSeconds(5),
            CoalesceWindow = TimeSpan.FromMinutes(1),
        };

        var failures = _validator.Validate(null, options).Failures!.ToList();

        Assert.Equal(5, failures.Count);
        Assert.Contains(failures, failure => failure.Contains("Sessions:IdleTimeout is 00:00:00", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Contains("Sessions:KeptQuestions is -3", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Contains("Sessions:CollectionAge is 00:00:05", StringComparison.Ordinal));
    }
}
