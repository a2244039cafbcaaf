using Microsoft.Extensions.DependencyInjection;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Faults;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Faults;

/// <summary>
/// Two silos with a store, two socket gateways, and a queue between them that misbehaves. The clock of heartbeats, leases and socket gateways runs several
/// times as fast as real time, so that the times of the failure table are short here. Grains have their usual clock.
/// </summary>
public sealed class FaultyClusterFixture : IAsyncLifetime
{
    private const double Speed = 8;

    private readonly List<SocketHost> _hosts = [];
    private readonly JumpingClock _clock = new(Speed);
    private SessionCluster? _cluster;

    /// <summary>To repeat a run that failed, set <c>FAULTS_SEED</c> to the seed that it printed.</summary>
    public FaultyQueue Queue { get; } = new(
        int.TryParse(Environment.GetEnvironmentVariable("FAULTS_SEED"), out var seed) ? seed : Random.Shared.Next());

    public SessionCluster Cluster => _cluster!;

    public SocketHost Left => _hosts[0];

    public SocketHost Right => _hosts[1];

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(silos: 2, isStored: true, configureSilo: silo =>
        {
            silo.Services.AddKeyedSingleton(TimeProviderNames.SystemTimers, _clock.Time);
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
            await _cluster.DisposeAsync();
        }

        await _clock.DisposeAsync();
    }

    private Task<SocketHost> StartHostAsync() => SocketHost.StartAsync(
        Cluster.Orleans.Client,
        options =>
        {
            // Limits of the clients, which have the usual clock.
            options.SendTimeout = options.HeartbeatInterval = options.MaxTimeBehind = TimeSpan.FromMinutes(10);
            options.CloseTimeout = TimeSpan.FromSeconds(30);
        },
        configureHost: host => host.Services.AddSingleton(_clock.Time));
}
