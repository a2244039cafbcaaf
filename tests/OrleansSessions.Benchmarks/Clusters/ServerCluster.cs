using OrleansSessions.Benchmarks.Servers;

namespace OrleansSessions.Benchmarks.Clusters;

/// <summary>Nodes of this server with all roles, with one Redis server as their store.</summary>
internal sealed class ServerCluster : IAsyncDisposable
{
    private readonly RedisServer _redis;
    private readonly List<ServerProcess> _nodes = [];

    private ServerCluster(RedisServer redis) => _redis = redis;

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    /// <param name="settings">Configuration of each node, as on its command line: <c>--Responder:Name=echo</c>.</param>
    public static async Task<ServerCluster> StartAsync(
        int nodes, string serverPath, string runtimeConfig, IEnumerable<string> settings, CancellationToken cancellationToken)
    {
        var cluster = new ServerCluster(await RedisServer.StartAsync(cancellationToken));
        try
        {
            var node = Contenders.WithDefaultLimits(serverPath) with { Command = [serverPath, .. cluster.Settings, .. settings] };
            for (var i = 0; i < nodes; i++)
            {
                cluster._nodes.Add(await ServerProcess.StartAsync(node, runtimeConfig, cancellationToken));
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        await _redis.DisposeAsync();
    }

    private IEnumerable<string> Settings =>
    [
        "--Cluster:Provider=Redis", $"--Cluster:Redis={_redis.ConnectionString}", "--Cluster:ClusterId=benchmark", "--Cluster:ServiceId=benchmark",
        "--Cluster:SiloPort=0", "--Cluster:OrleansGatewayPort=0", "--Cluster:AdvertisedAddress=127.0.0.1", "--Sessions:Persistence=Stored",
    ];
}
