namespace OrleansSessions.Benchmarks.Servers;

/// <summary>This server with its sessions in memory, in a file and in Redis. The file and Redis end with this object.</summary>
internal sealed class StorageContenders : IAsyncDisposable
{
    public const string Memory = "memory";
    public const string File = "file";
    public const string Redis = "redis";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sessions-benchmark-");
    private readonly RedisServer? _redis;

    private StorageContenders(string serverPath, RedisServer? redis)
    {
        _redis = redis;
        var contenders = new List<Contender>
        {
            Contenders.WithStorage(Memory, "sessions in memory", serverPath, "--Sessions:Persistence=Memory"),
            Contenders.WithStorage(File, "sessions in a file", serverPath, $"--Sessions:File={Path.Combine(_folder.FullName, "sessions.db")}"),
        };
        if (redis is not null)
        {
            contenders.Add(Contenders.WithStorage(
                Redis, "sessions in Redis, which writes nothing to disk", serverPath, "--Cluster:Provider=Redis", $"--Cluster:Redis={redis.ConnectionString}",
                "--Cluster:AdvertisedAddress=127.0.0.1", "--Cluster:SiloPort=0", "--Cluster:OrleansGatewayPort=0"));
        }

        All = contenders;
    }

    /// <summary>Redis is among them if <c>redis-server</c> is on the path.</summary>
    public IReadOnlyList<Contender> All { get; }

    /// <exception cref="ServerStartException"><c>redis-server</c> is on the path, but did not start.</exception>
    public static async Task<StorageContenders> StartAsync(string serverPath, CancellationToken cancellationToken) =>
        new(serverPath, RedisServer.IsInstalled ? await RedisServer.StartAsync(cancellationToken) : null);

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }
}
