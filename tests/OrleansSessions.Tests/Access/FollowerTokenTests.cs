using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;
using OrleansSessions.SocketGateway.Following;
using OrleansSessions.SocketGateway.Profiles;
using OrleansSessions.SocketGateway.Telemetry;
using OrleansSessions.Tests.SocketGateway;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>The timer and the client's messages use a follower's token at the same time.</summary>
public sealed class FollowerTokenTests : IDisposable
{
    private readonly ServiceProvider _metrics = new ServiceCollection().AddMetrics().AddSingleton<SocketGatewayMetrics>().BuildServiceProvider();

    public void Dispose() => _metrics.Dispose();

    [Theory]
    [InlineData(30)]
    [InlineData(0)]
    public void Check_ReadsTheLife_AndDecides_UnderTheGate(int secondsLeft)
    {
        var clock = new WatchedTime();
        var caller = CallerIdentity.Local with { ExpiresAt = clock.GetUtcNow() + TimeSpan.FromHours(1) };
        var services = FollowerTestServices.Create(Stub.Of<ISessionGrain>((_, _) => Task.CompletedTask), new(), _metrics, clock);
        var transport = new RecordingTransport();
        var follower = new Follower(new(SessionAccess.Own(caller), "s", WireProfile.V1, null), transport, services, ProfileFactory.Create);
        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(secondsLeft));

        clock.OnRead = () => Assert.True(follower.Gate.IsHeldByCurrentThread);
        follower.Token.Check();

        Assert.Equal((secondsLeft == 0, 1), (follower.IsClosing, clock.Reads));
    }

    /// <summary>Sees by whom the first read of the time is made.</summary>
    private sealed class WatchedTime : FakeTimeProvider
    {
        public Action? OnRead { get; set; }

        public int Reads { get; private set; }

        public override long GetTimestamp()
        {
            if (OnRead is { } check)
            {
                OnRead = null;
                Reads++;
                check();
            }

            return base.GetTimestamp();
        }
    }
}
