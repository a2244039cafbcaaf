using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class SessionClockTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(24)]
    [InlineData(-24)]
    public void Now_FollowsNoStepOfTheWallClock_UntilItIsSet(int stepHours)
    {
        var stepped = new SteppedTime(_time);
        var clock = new SessionClock(stepped);
        var start = clock.Now;

        stepped.Step(TimeSpan.FromHours(stepHours));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(start + TimeSpan.FromSeconds(5), clock.Now);

        clock.Set();
        Assert.Equal(stepped.GetUtcNow(), clock.Now);
    }
}
