using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

[assembly: AssemblyFixture(typeof(OrleansSessions.Tests.SocketGateway.GatewayFixture))]

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>One cluster and one socket gateway for all tests of sockets and HTTP. Each test has its own sessions.</summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private SessionCluster? _cluster;
    private SocketHost? _host;

    public SessionCluster Cluster => _cluster!;

    public SocketHost Host => _host!;

    public static string NewSession() => "s-" + Guid.NewGuid().ToString("N");

    /// <summary>Starts the cluster on first use, because most tests of the assembly do not need it.</summary>
    public async ValueTask StartAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _cluster ??= await SessionCluster.StartAsync();
            _host ??= await SocketHost.StartAsync(_cluster.Orleans.Client);
        }
        finally
        {
            _starting.Release();
        }
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _starting.Dispose();
    }
}
