using System.Net;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Configuration;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Feed;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

public sealed class SiloHeartbeatsTests
{
    private static readonly SiloAddress A = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress B = SiloAddress.New(IPAddress.Loopback, 2, 1);

    private readonly FakeTimeProvider _clock = new();
    private readonly SiloHeartbeats _silos;

    public SiloHeartbeatsTests() => _silos = new(_clock, missedAfter: TimeSpan.FromSeconds(5), readyTimeout: TimeSpan.FromSeconds(10));

    [Fact]
    public void Numbers_ShowHoles_ButNotRepeats()
    {
        Assert.False(Beat(A, 0, 1, A));
        Assert.False(_silos.OnItem(GatewayItem.Awake(A, 1, "/s", 1, 1)));
        Assert.False(_silos.OnItem(GatewayItem.Awake(A, 1, "/s", 1, 1)));
        Assert.False(Beat(A, 1, 1, A));
        Assert.True(_silos.OnItem(GatewayItem.Awake(A, 3, "/s", 1, 1)));
        Assert.True(Beat(A, 4, 1, A));
        Assert.False(Beat(A, 4, 1, A));
    }

    [Fact]
    public void ItemsThatWereOvertaken_AreNoHoles_AndDoNotHideLaterOnes()
    {
        Beat(A, 0, 1, A);
        Assert.True(_silos.OnItem(GatewayItem.Awake(A, 3, "/s", 1, 1)));
        Assert.False(_silos.OnItem(GatewayItem.Awake(A, 1, "/s", 1, 1)));
        Assert.False(_silos.OnItem(GatewayItem.Awake(A, 2, "/s", 1, 1)));
        Assert.False(Beat(A, 0, 1, A));
        Assert.False(Beat(A, 3, 1, A));
        Assert.True(Beat(A, 4, 1, A));
    }

    [Fact]
    public void AMembershipThatStartsAgain_IsTaken_OnceNoSiloOfTheLastOneIsHeard()
    {
        Beat(A, 0, 90, A);
        Beat(B, 0, 1, B);
        Assert.Empty(_silos.Missing());
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([A], _silos.Missing());

        Beat(B, 0, 1, B);

        Assert.Empty(_silos.Missing());
        Beat(A, 0, 90, A);
        Beat(B, 0, 2, B);
        Assert.Empty(_silos.Missing());
    }

    [Fact]
    public void Ready_RequiresEverySiloOfTheStart_OrOneAfterTheTimeout()
    {
        Assert.False(_silos.IsReady());
        Beat(A, 0, 1, A, B);
        Assert.False(_silos.IsReady());
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(_silos.IsReady());
        Beat(A, 0, 1, A, B);
        Assert.True(_silos.IsReady());
    }

    [Fact]
    public void Ready_StaysWhileAnySiloIsHeard_AndTheOthersCountAsLost()
    {
        Beat(A, 0, 1, A, B);
        Beat(B, 0, 1, A, B);
        Assert.True(_silos.IsReady());
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.False(_silos.IsReady());
        Beat(B, 0, 1, A, B);
        Assert.True(_silos.IsReady());
        Assert.Equal([A], _silos.Missing());
    }

    [Fact]
    public void ANewerMembership_ReportsWhoLeft_Once()
    {
        Beat(A, 0, 1, A, B);
        var next = GatewayItem.Heartbeat(A, 0, 2, [A]);
        Assert.Equal([B], _silos.OnMembership(next)!);
        Assert.Null(_silos.OnMembership(next));
        Assert.Empty(_silos.Missing());
    }

    [Fact]
    public void BadOptions_AreReportedAllAtOnce_WithKeyAndValue()
    {
        var result = new SectionValidator<SocketGatewayOptions>().Validate(
            null, new() { MaxConnections = 0, HeartbeatInterval = TimeSpan.Zero, AllowedOrigins = ["elsewhere"] });

        Assert.Equal(3, result.Failures!.Count());
        Assert.Contains("SocketGateway:MaxConnections is 0", result.FailureMessage, StringComparison.Ordinal);
        Assert.Contains("'elsewhere'", result.FailureMessage, StringComparison.Ordinal);
        Assert.True(new SectionValidator<SocketGatewayOptions>().Validate(null, new()).Succeeded);
    }

    private bool Beat(SiloAddress silo, long number, long membership, params SiloAddress[] active)
    {
        var heartbeat = GatewayItem.Heartbeat(silo, number, membership, [.. active]);
        var isHole = _silos.OnItem(heartbeat);
        _silos.OnMembership(heartbeat);
        return isHole;
    }
}
