using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using OrleansSessions.Gateways;
using OrleansSessions.SocketGateway;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Faults;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// Two silos with a store and two socket gateways, whose clocks stand still unless a test moves them: one clock for the heartbeats and leases of the silos,
/// and one for each socket gateway. So a test shows within which time something happens, however slow the machine is.
/// </summary>
public sealed class StandingClusterFixture : IAsyncLifetime
{
    private static readonly TimeSpan HeartbeatPeriod = TimeSpan.FromSeconds(1);

    /// <summary>The pause of a socket gateway between two batches of sessions that it attaches again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan StopPatience = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _silosTime = new();
    private readonly List<StandingHost> _hosts = [];
    private SessionCluster? _cluster;

    public FaultyQueue Queue { get; } = new(seed: 1);

    public SessionCluster Cluster => _cluster!;

    public StandingHost Left => _hosts[0];

    public StandingHost Right => _hosts[1];

    public ISocketGatewayRegistryGrain Registry => Cluster.Orleans.Client.GetGrain<ISocketGatewayRegistryGrain>(0);

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(silos: 2, isStored: true, configureSilo: silo =>
        {
            silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.SystemTimers, _silosTime);
            Queue.AddTo(silo);
        });
        _hosts.Add(await StartHostAsync());
        _hosts.Add(await StartHostAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Queue.Fates = ItemFates.None;
        await Queue.DisposeAsync();
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await StopAsync(_cluster);
        }
    }

    /// <summary>Starts another socket gateway, which the test stops.</summary>
    public async Task<StandingHost> StartHostAsync(Action<SocketGatewayOptions>? configure = null)
    {
        var time = new FakeTimeProvider();
        var sockets = await SocketHost.StartAsync(
            Cluster.Orleans.Client, configure, isReady: false, configureHost: host => host.Services.AddSingleton<TimeProvider>(time));
        var host = new StandingHost(sockets, time);
        var readiness = host.Sockets.Services.GetRequiredService<SocketGatewayHealthCheck>();
        await Eventually.TrueAsync(
            () =>
            {
                // A retry of the subscription waits for the one clock, a heartbeat for the other.
                time.Advance(TimeSpan.FromMilliseconds(50));
                _silosTime.Advance(TimeSpan.FromMilliseconds(50));
                return readiness.IsReady;
            },
            "the socket gateway receives the heartbeats of the silos");
        return host;
    }

    /// <summary>Moves the clock of the silos.</summary>
    public void AdvanceSilos(TimeSpan by) => _silosTime.Advance(by);

    /// <summary>
    /// Moves the clock of the silos to their next heartbeat, and waits until each has put one into the queue. The clocks of the socket gateways are moved by
    /// some milliseconds, in case an earlier test has left one of them in the pause after a batch.
    /// </summary>
    public async Task BeatAsync()
    {
        EndPauses();
        var before = Beats();
        _silosTime.Advance(HeartbeatPeriod);
        await Eventually.TrueAsync(() => Beats() >= before + (2 * _hosts.Count), "each silo has sent a heartbeat to each socket gateway");
        EndPauses();
    }

    /// <summary>A silo that stops waits for its clock, too.</summary>
    private async Task StopAsync(SessionCluster cluster)
    {
        var stopping = cluster.DisposeAsync().AsTask();
        await Eventually.TrueAsync(
            () =>
            {
                _silosTime.Advance(TimeSpan.FromMilliseconds(50));
                return Task.FromResult(stopping.IsCompleted);
            },
            "the silos have stopped",
            StopPatience);
        await stopping;
    }

    private void EndPauses() => _hosts.ForEach(static host => host.Time.Advance(Pause));

    private int Beats() => Enum.GetValues<ItemFate>().Sum(fate => Queue.Count(fate, GatewayItemKind.Heartbeat));
}
