using System.Diagnostics;
using System.Globalization;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>This server with its sessions in memory, in a file and in Redis. The file and Redis end with this object.</summary>
internal sealed class StorageContenders : IAsyncDisposable
{
    public const string Memory = "memory";
    public const string File = "file";
    public const string Redis = "redis";

    private const string RedisProgram = "redis-server";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sessions-benchmark-");
    private readonly Process? _redis;

    public StorageContenders(string serverPath)
    {
        var contenders = new List<Contender>
        {
            Contenders.WithStorage(Memory, "sessions in memory", serverPath, "--Sessions:Persistence=Memory"),
            Contenders.WithStorage(File, "sessions in a file", serverPath, $"--Sessions:File={Path.Combine(_folder.FullName, "sessions.db")}"),
        };
        if (FindRedis() is { } program)
        {
            var port = LoopbackPort.TakeFree().ToString(CultureInfo.InvariantCulture);
            _redis = Process.Start(new ProcessStartInfo(
                program, ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            { RedirectStandardOutput = true });
            contenders.Add(Contenders.WithStorage(
                Redis, "sessions in Redis, which writes nothing to disk", serverPath, "--Cluster:Provider=Redis", $"--Cluster:Redis=127.0.0.1:{port}",
                "--Cluster:AdvertisedAddress=127.0.0.1", "--Cluster:SiloPort=0", "--Cluster:OrleansGatewayPort=0"));
        }

        All = contenders;
    }

    /// <summary>Redis is among them if <c>redis-server</c> is on the path.</summary>
    public IReadOnlyList<Contender> All { get; }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            _redis.Kill();
            await _redis.WaitForExitAsync();
            _redis.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private static string? FindRedis() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, RedisProgram)).FirstOrDefault(System.IO.File.Exists);
}
