using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.Tests.SocketGateway;

/// <summary>A cluster that answers nothing by itself, and a socket gateway with small limits.</summary>
public sealed class ExternalGatewayFixture : IAsyncLifetime
{
    public const int MaxLineBytes = 1024;
    public const int MaxAnswerBytes = 2000;

    private SessionCluster? _cluster;
    private SocketHost? _host;

    public SessionCluster Cluster => _cluster!;

    public Uri Address => _host!.Address;

    public async ValueTask InitializeAsync()
    {
        _cluster = await SessionCluster.StartAsync(responderName: "external", configure: options => options.MaxAnswerBytes = MaxAnswerBytes);
        _host = await SocketHost.StartAsync(_cluster.Orleans.Client, options => options.MaxAnswerBodyBytes = MaxLineBytes);
    }

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
    }
}
