using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Sessions;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class ParkedSessionsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SessionsOptions _options = new() { MaxParkedSessions = 3 };

    [Fact]
    public void Take_GivesASessionBackOnce()
    {
        var parked = new ParkedSessions(Options.Create(_options), _time);
        var state = State();
        parked.Park("a", state, TimeSpan.Zero);

        Assert.Same(state, parked.Take("a"));
        Assert.Null(parked.Take("a"));
    }

    [Fact]
    public void Sleepers_PastTheRetention_AreForgotten_AlsoIfNoneComesOrWakes()
    {
        var parked = new ParkedSessions(Options.Create(_options), _time);
        parked.Park("a", State(), TimeSpan.Zero);
        parked.Park("b", State(), TimeSpan.Zero);
        _time.Advance(_options.Retention / 2);
        parked.Park("c", State(), TimeSpan.Zero);

        _time.Advance((_options.Retention / 2) + TimeSpan.FromMinutes(1));
        Assert.Equal(1, parked.Count);

        _time.Advance(_options.Retention);
        Assert.Equal(0, parked.Count);
    }

    [Fact]
    public void Park_PastTheNumber_LetsTheLongestSleeperGo()
    {
        var parked = new ParkedSessions(Options.Create(_options), _time);
        foreach (var key in new[] { "a", "b", "a", "c", "d" })
        {
            parked.Park(key, State(), TimeSpan.Zero);
        }

        Assert.Null(parked.Take("b"));
        Assert.All(["a", "c", "d"], key => Assert.NotNull(parked.Take(key)));
    }

    [Fact]
    public void Park_PastTheBytes_LetsTheLongestSleeperGo()
    {
        _options.MaxParkedBytes = 10_000;
        var parked = new ParkedSessions(Options.Create(_options), _time);
        parked.Park("a", State(answer: new string('x', 3000)), TimeSpan.Zero);
        parked.Park("b", State(answer: new string('x', 3000)), TimeSpan.Zero);

        Assert.Null(parked.Take("a"));
        Assert.NotNull(parked.Take("b"));
    }

    [Fact]
    public void Take_AfterItsRetention_FindsNothing()
    {
        var parked = new ParkedSessions(Options.Create(_options), _time);
        parked.Park("a", State(), TimeSpan.Zero);
        _time.Advance(_options.Retention + TimeSpan.FromSeconds(1));

        Assert.Null(parked.Take("a"));
    }

    [Fact]
    public void AStepOfTheWallClock_ForgetsNoSleeper_AndItsAgeGoesOn()
    {
        var stepped = new SteppedTime(_time);
        var parked = new ParkedSessions(Options.Create(_options), stepped);
        parked.Park("a", State(), TimeSpan.FromHours(1));
        stepped.Step(TimeSpan.FromDays(30));
        _time.Advance(TimeSpan.FromHours(2));

        Assert.Equal(stepped.GetUtcNow() - TimeSpan.FromHours(3), parked.Take("a")!.UsedAt);
    }

    private SessionRecord State(string answer = "") => new()
    {
        Epoch = 1,
        UsedAt = _time.GetUtcNow(),
        Questions = [new() { Id = "q", Text = "why", Tail = answer }],
    };
}
