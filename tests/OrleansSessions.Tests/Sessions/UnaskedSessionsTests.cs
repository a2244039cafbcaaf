using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class UnaskedSessionsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly UnaskedSessions _unasked;
    private readonly List<int> _left = [];

    public UnaskedSessionsTests() => _unasked = new(Options.Create(new SessionsOptions()), _time);

    [Fact]
    public void Keep_LetsEachGo_WhenItsOwnTimeIsOver()
    {
        Keep(1);
        _time.Advance(UnaskedSessions.StayTime / 2);
        Keep(2);
        _time.Advance(UnaskedSessions.StayTime / 2);
        Assert.Equal([1], _left);

        _time.Advance(UnaskedSessions.StayTime / 2);
        Assert.Equal([1, 2], _left);
        Keep(3);
        _time.Advance(UnaskedSessions.StayTime);
        Assert.Equal([1, 2, 3], _left);
    }

    [Fact]
    public void Keep_WhereIdleGrainsLeaveSooner_IsAsShort()
    {
        var left = false;
        var unasked = new UnaskedSessions(Options.Create(new SessionsOptions { CollectionAge = TimeSpan.FromSeconds(5) }), _time);
        unasked.Clients.Keep(_ => left = true);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(left);
    }

    [Fact]
    public void Keep_PastTheNumber_LetsTheOldestGo()
    {
        for (var i = 0; i < UnaskedSessions.MaxStays; i++)
        {
            Keep(i);
        }

        Assert.Empty(_left);
        Keep(-1);
        Assert.Equal([0], _left);
        Keep(-2);
        Assert.Equal([0, 1], _left);
    }

    [Fact]
    public void Release_EndsAStay_AndMayBeRepeated()
    {
        var stay = Keep(1);
        stay.Release();
        stay.Release();
        _time.Advance(UnaskedSessions.StayTime * 2);

        Assert.Empty(_left);
    }

    private StayQueue.Stay Keep(int number) => _unasked.Clients.Keep(_ => _left.Add(number));
}
