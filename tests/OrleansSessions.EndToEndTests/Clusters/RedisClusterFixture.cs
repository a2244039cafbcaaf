using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>
/// A cluster of real processes with one Redis server: <c>a</c> and <c>b</c> have all roles, <c>s</c>
/// has only the silo, and <c>g</c> only the socket gateway. The tests answer the questions.
/// </summary>
public abstract class RedisClusterFixture(RedisFlavour flavour) : IAsyncLifetime
{
    private readonly Dictionary<string, ServerProcess> _nodes = [];
    private RedisProcess? _redis;

    public ServerProcess Node(string name) => _nodes[name];

    public async ValueTask InitializeAsync()
    {
        if (RedisProcess.Missing(flavour) is not null)
        {
            return;
        }

        _redis = await RedisProcess.StartAsync(flavour);
        var cluster = $"e2e-{Guid.NewGuid():N}";
        foreach (var (name, role) in new[] { ("a", "All"), ("b", "All"), ("s", "Silo"), ("g", "SocketGateway") })
        {
            _nodes[name] = await ServerProcess.StartAsync(
                $"Server:Role={role}", "Cluster:Provider=Redis", $"Cluster:Redis={_redis.ConnectionString}", $"Cluster:ClusterId={cluster}",
                $"Cluster:ServiceId={cluster}", "Cluster:SiloPort=0", "Cluster:OrleansGatewayPort=0", "Cluster:AdvertisedAddress=127.0.0.1",
                "Responder:Name=external");
        }
    }

    public void SkipIfAbsent()
    {
        if (RedisProcess.Missing(flavour) is { } reason)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{reason} CI must run this test.");
            Assert.Skip(reason);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var node in _nodes.Values)
        {
            await node.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }
}

public sealed class GarnetClusterFixture() : RedisClusterFixture(RedisFlavour.Garnet);

public sealed class RedisServerClusterFixture() : RedisClusterFixture(RedisFlavour.RedisServer);
