using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.Clustering;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Clusters;
using Xunit;

namespace OrleansSessions.Tests.Sessions;

/// <summary>A session of a silo that is no longer a member of its cluster.</summary>
public sealed class EvictedSessionTests : IAsyncLifetime
{
    private static readonly TimeSpan FirstDeltaTimeout = TimeSpan.FromSeconds(77);

    private RecordingTime _time = null!;
    private SessionCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await SessionCluster.StartAsync(
        configure: options => options.FirstDeltaTimeout = options.SilenceTimeout = FirstDeltaTimeout,
        configureSilo: silo =>
        {
            var clock = silo.Services.Last(service => service.IsKeyedService && Equals(service.ServiceKey, TimeProviderNames.Grains));
            _time = new RecordingTime((TimeProvider)clock.KeyedImplementationInstance!);
            silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Grains, _time);
        });

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AnEviction_EndsWhatIsOpen_AndStopsTheTimer()
    {
        var session = _cluster.Session("s");
        await using var gateway = await GatewayListener.StartAsync(_cluster.Orleans.Client);
        await session.AskAsync("a", "go", gateway: gateway.Id, connection: "c");
        await session.AskAsync("b", "go", IfBusy.Queue);
        Assert.Equal(1, CountTimers());

        await _cluster.Orleans.Silos[0].ServiceProvider.GetRequiredService<ClusterEviction>().EvictAsync();

        var end = (await gateway.EventsUntilAsync(logged => logged is { QuestionId: "b", End: not null }))[^1].End!;
        Assert.Equal((QuestionStatus.Failed, DoneReasons.ResponderLost), (end.Status, end.Reason));
        await Eventually.TrueAsync(() => CountTimers() == 0, "no timer keeps a session awake that has nothing open");
    }

    private int CountTimers() => _time.CountSet(FirstDeltaTimeout - TimeSpan.FromSeconds(7), FirstDeltaTimeout);
}
