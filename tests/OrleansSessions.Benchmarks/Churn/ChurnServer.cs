using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OrleansSessions.Benchmarks.Servers;
using OrleansSessions.TestKit.Tokens;
using StackExchange.Redis;

namespace OrleansSessions.Benchmarks.Churn;

/// <summary>One server on Redis that forgets its sessions soon, and what can be seen of them from outside.</summary>
internal sealed class ChurnServer : IAsyncDisposable
{
    /// <summary>The number of active grains.</summary>
    public const string Activations = "orleans_catalog_activations";

    private const string SigningKey = "a key of at least thirty-two bytes";
    private const string ManagementKey = "the key that reads the metrics";

    /// <summary>Longer than a round takes to let all sessions come, so that all of them are active at the same time.</summary>
    private static readonly TimeSpan CollectionAge = TimeSpan.FromMinutes(1);

    private readonly RedisServer _redis;
    private readonly ConnectionMultiplexer _store;
    private readonly HttpClient _http;

    private ChurnServer(RedisServer redis, ConnectionMultiplexer store, ServerProcess process)
    {
        (_redis, _store, Process) = (redis, store, process);
        _http = new() { BaseAddress = process.Http };
        _http.DefaultRequestHeaders.Authorization = new("Bearer", ManagementKey);
    }

    public ServerProcess Process { get; }

    public static async Task<ChurnServer> StartAsync(string serverPath, string runtimeConfig, CancellationToken cancellationToken)
    {
        var redis = await RedisServer.StartAsync(cancellationToken);
        var contender = Contenders.WithStorage(
            Contenders.Sessions, "this server, which forgets its sessions soon", serverPath,
            "--Cluster:Provider=Redis", $"--Cluster:Redis={redis.ConnectionString}", "--Cluster:AdvertisedAddress=127.0.0.1", "--Cluster:SiloPort=0",
            "--Cluster:OrleansGatewayPort=0", $"--Auth:ApiKeys:churn={HashOf(ManagementKey)} sessions:admin",
            "--Auth:AllowAnonymous=true", $"--Auth:Jwt:Keys:churn={SigningKey}", $"--Auth:Jwt:Issuer={TestToken.DefaultIssuer}",
            $"--Auth:Jwt:Audience={TestToken.DefaultAudience}", "--Limits:MaxAsksPerMinutePerScope=100000", "--Limits:MaxOpenQuestionsPerScope=100", "--SocketGateway:MaxRequestsPerMinute=100000",
            $"--Sessions:CollectionAge={CollectionAge}", "--Sessions:Retention=00:00:10", "--Sessions:AnswerTimeout=00:00:20",
            "--Sessions:QueueTimeout=00:00:05");
        try
        {
            var process = await ServerProcess.StartAsync(contender, runtimeConfig, cancellationToken);
            return new(redis, await ConnectionMultiplexer.ConnectAsync($"{redis.ConnectionString},allowAdmin=true"), process);
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>A token of a caller with a scope of its own.</summary>
    public static string TokenOf(int scope) =>
        (new TestToken { Subject = string.Create(CultureInfo.InvariantCulture, $"caller-{scope}"), KeyId = "churn" }).SignedWith(SigningKey);

    /// <summary>The number of keys in Redis, and of those that expire.</summary>
    public async Task<(long Keys, long Expiring)> CountKeysAsync()
    {
        var keyspace = (await _store.GetServers()[0].InfoAsync("keyspace")).SelectMany(group => group).ToDictionary(entry => entry.Key, entry => entry.Value);
        var counts = keyspace.GetValueOrDefault("db0", "keys=0,expires=0").Split(',');
        return (Number(counts[0]), Number(counts[1]));

        static long Number(string count) => long.Parse(count[(count.IndexOf('=') + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>The keys in Redis that never expire.</summary>
    public async Task<IReadOnlySet<string>> LastingKeysAsync(CancellationToken cancellationToken)
    {
        var lasting = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var key in _store.GetServers()[0].KeysAsync(pageSize: 1000).WithCancellation(cancellationToken))
        {
            if (await _store.GetDatabase().KeyTimeToLiveAsync(key) is null && await _store.GetDatabase().KeyExistsAsync(key))
            {
                lasting.Add(key.ToString());
            }
        }

        return lasting;
    }

    /// <summary>The sum of a metric over its tags.</summary>
    public async Task<long> ReadMetricAsync(string name, CancellationToken cancellationToken)
    {
        var text = await _http.GetStringAsync(new Uri("/metrics", UriKind.Relative), cancellationToken);
        return (long)text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length..] is [' ' or '{', ..])
            .Sum(line => double.Parse(ValueOf(line), CultureInfo.InvariantCulture));
    }

    private static string ValueOf(string line) => line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
    {
        [_, var value, ..] when !line.Contains('}', StringComparison.Ordinal) => value,
        [var value, ..] => value,
        _ => "0",
    };

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Process.DisposeAsync();
        await _store.DisposeAsync();
        await _redis.DisposeAsync();
    }

    private static string HashOf(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
