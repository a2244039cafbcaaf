using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Grains.Sessions;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

public sealed class ErrorRateWindowTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Read_IsThePartOfFailures_InTheLastMinuteOnly()
    {
        var window = new ErrorRateWindow(_time);
        Assert.Equal(0, window.Read());

        window.Count(isFailure: true);
        _time.Advance(TimeSpan.FromSeconds(30));
        window.Count(isFailure: false);
        Assert.Equal(0.5, window.Read());

        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, window.Read());
        window.Count(isFailure: true);
        Assert.Equal(0.5, window.Read());

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, window.Read());
    }
}
