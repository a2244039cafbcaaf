using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.Access;

/// <summary>Two nodes with a store whose hosts know callers by <see cref="TestTokens"/>. Questions wait for an answer from outside.</summary>
public sealed class AccessFixture : IAsyncLifetime
{
    private readonly List<SocketHost> _hosts = [];
    private SessionCluster? _cluster;

    public IReadOnlyList<SocketHost> Hosts => _hosts;

    public SessionCluster Cluster => _cluster!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(silos: 2, responderName: "external", isStored: true);
        for (var node = 0; node < 2; node++)
        {
            _hosts.Add(await SocketHost.StartAsync(_cluster.Orleans.Client, configureHost: builder => builder.AddTestTokens()));
        }
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
}
