using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>Two silos that share a store, and two socket gateways that use them.</summary>
public sealed class TwoGatewaysFixture : IAsyncLifetime
{
    private readonly List<SocketHost> _hosts = [];
    private SessionCluster? _cluster;

    public SessionCluster Cluster => _cluster!;

    public SocketHost Left => _hosts[0];

    public SocketHost Right => _hosts[1];

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(silos: 2, isStored: true);
        _hosts.Add(await SocketHost.StartAsync(_cluster.Orleans.Client));
        _hosts.Add(await SocketHost.StartAsync(_cluster.Orleans.Client));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    /// <summary>Connects a client that checks the protocol, through this socket gateway.</summary>
    public static async Task<ReferenceClient> ConnectAsync(SocketHost host, string session)
    {
        var client = new ReferenceClient(query => host.SocketAddress($"/ws/{session}?{query}"));
        await client.ConnectAsync();
        return client;
    }
}
