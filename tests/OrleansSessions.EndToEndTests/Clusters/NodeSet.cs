using System.Globalization;
using OrleansSessions.TestKit.Clusters;
using OrleansSessions.TestKit.Processes;
using StackExchange.Redis;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clusters;

/// <summary>Nodes with one Redis server, for tests that lose some of the nodes or the store. A question is answered only if the test answers it.</summary>
public sealed class NodeSet : IAsyncDisposable
{
    private readonly string _cluster = $"e2e-{Guid.NewGuid():N}";
    private readonly List<ServerProcess> _nodes = [];
    private ConnectionMultiplexer? _client;

    private NodeSet(RedisProcess redis) => Redis = redis;

    public RedisProcess Redis { get; }

    public static async Task<NodeSet> StartAsync(RedisFlavour flavour, RedisTls? tls = null, string? folder = null)
    {
        if (RedisProcess.Missing(flavour) is { } reason)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{reason} CI must run this test.");
            Assert.Skip(reason);
        }

        return new(await RedisProcess.StartAsync(flavour, tls, folder));
    }

    public async Task<ServerProcess> AddAsync(params string[] settings)
    {
        var node = await ServerProcess.StartAsync([.. Settings, .. settings]);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Adds three nodes: two that stay, and one that the test loses.</summary>
    public async Task<(ServerProcess One, ServerProcess Two, ServerProcess Lost)> AddThreeAsync(params string[] settings) =>
        (await AddAsync(settings), await AddAsync(settings), await AddAsync(settings));

    /// <summary>The settings of each node of this cluster.</summary>
    public IEnumerable<string> Settings =>
    [
        "Cluster:Provider=Redis", $"Cluster:Redis={Redis.ConnectionString}", $"Cluster:ClusterId={_cluster}", $"Cluster:ServiceId={_cluster}",
        "Cluster:SiloPort=0", "Cluster:OrleansGatewayPort=0", "Cluster:AdvertisedAddress=127.0.0.1", "Responder:Name=external",
    ];

    /// <summary>Makes the store come back empty.</summary>
    public async Task FlushAsync() => await (await ClientAsync()).GetDatabase().ExecuteAsync("FLUSHALL");

    /// <summary>Changes a setting of the store.</summary>
    public async Task ConfigureStoreAsync(string setting, string value) => await (await ClientAsync()).GetDatabase().ExecuteAsync("CONFIG", "SET", setting, value);

    /// <summary>What the store has received so far, in bytes.</summary>
    public async Task<long> ReceivedBytesAsync()
    {
        var stats = await (await ClientAsync()).GetServers()[0].InfoAsync("stats");
        return long.Parse(stats.SelectMany(group => group).Single(entry => entry.Key == "total_net_input_bytes").Value, CultureInfo.InvariantCulture);
    }

    /// <summary>All keys in the store.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync()
    {
        var keys = new List<string>();
        await foreach (var key in (await ClientAsync()).GetServers()[0].KeysAsync(pageSize: 1000))
        {
            keys.Add(key.ToString());
        }

        return [.. keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>The content of the grain directory in the store: one value for each session that a silo holds, or has held.</summary>
    public async Task<IReadOnlyList<string>> DirectoryEntriesAsync()
    {
        var client = await ClientAsync();
        var entries = new List<string>();
        await foreach (var key in client.GetServers()[0].KeysAsync(pattern: $"{_cluster}/directory/*"))
        {
            entries.Add((await client.GetDatabase().StringGetAsync(key)).ToString());
        }

        return entries;
    }

    /// <summary>Waits until the store has text of a running answer of this session.</summary>
    public Task UntilTextIsSavedAsync(string session) => Eventually.TrueAsync(
        async () =>
        {
            var client = await ClientAsync();
            await foreach (var key in client.GetServers()[0].KeysAsync(pattern: $"*{session}*chunk*"))
            {
                return true;
            }

            return false;
        },
        $"the store has text of {session}");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            node.Kill();
            await node.DisposeAsync();
        }

        if (_client is not null)
        {
            await _client.DisposeAsync();
        }

        await Redis.DisposeAsync();
    }

    private async Task<ConnectionMultiplexer> ClientAsync() =>
        _client ??= await ConnectionMultiplexer.ConnectAsync($"{Redis.ConnectionString},allowAdmin=true");
}
