using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// Removes the entries of dead silos from the grain directory. Nothing else removes them: an entry would stay forever if its session is never
/// called again. An expiry is not an alternative, because when the entry of a live session expires, a second activation can start.
/// One silo of the cluster sweeps, after it starts and after each death of a silo.
/// </summary>
internal sealed partial class DirectorySweep(
    IClusterMembershipService membership, IMembershipTable table, ILocalSiloDetails silo, IOptions<ClusterConnectionOptions> options,
    ILogger<DirectorySweep> logger) : BackgroundService
{
    private const int PageSize = 250;

    /// <summary>Compares and deletes in one step, because the session can have been activated elsewhere since the entry was read.</summary>
    private const string DeleteIfSame = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    private ImmutableHashSet<SiloAddress> _swept = [];
    private bool _hasSwept;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken))
            {
                var dead = WithStatus(snapshot, SiloStatus.Dead).ToImmutableHashSet();
                var isSweeper = silo.SiloAddress.Equals(WithStatus(snapshot, SiloStatus.Active).Min());
                if (isSweeper && (!_hasSwept || !dead.IsSubsetOf(_swept)))
                {
                    await SweepAsync(stoppingToken);
                    (_swept, _hasSwept) = (dead, true);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Sweeps, and retries until the store answers.</summary>
    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await using var redis = await ConnectionMultiplexer.ConnectAsync(RedisClient.Parse(options.Value.Redis));
                var removed = 0;
                foreach (var server in redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }))
                {
                    removed += await SweepAsync(server, redis.GetDatabase(), stoppingToken);
                }

                LogMessages.Swept(logger, removed);
                return;
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                LogMessages.NotSwept(logger, fault.GetType().Name);
                await Task.Delay(RetryDelay, TimeProvider.System, stoppingToken);
            }
        }
    }

    private async Task<int> SweepAsync(IServer server, IDatabase database, CancellationToken stoppingToken)
    {
        var removed = 0;
        var page = new List<RedisKey>(PageSize);
        await foreach (var key in server.KeysAsync(database.Database, KeyPattern(), PageSize).WithCancellation(stoppingToken))
        {
            page.Add(key);
            if (page.Count == PageSize)
            {
                removed += await RemoveDeadAsync(database, page, stoppingToken);
                page.Clear();
            }
        }

        return removed + await RemoveDeadAsync(database, page, stoppingToken);
    }

    private async Task<int> RemoveDeadAsync(IDatabase database, List<RedisKey> page, CancellationToken stoppingToken)
    {
        // 1. Read the page, then the membership table. A silo writes its row before it registers a session, so a silo without a row is gone.
        var values = await Task.WhenAll(page.Select(key => database.StringGetAsync(key)));
        var entries = page.Zip(values).Where(entry => entry.Second.HasValue).ToList();
        if (entries.Count == 0)
        {
            return 0;
        }

        var members = await table.ReadAllAsync(stoppingToken);
        var living = members.Members.Select(row => row.Item1).Where(row => row.Status != SiloStatus.Dead).Select(row => row.SiloAddress).ToHashSet();

        // 2. Remove the entries whose silo is not in the table or is dead.
        var removals = entries.Where(entry => OwnerOf(entry.Second) is { } owner && !living.Contains(owner))
            .Select(entry => database.ScriptEvaluateAsync(DeleteIfSame, [entry.First], [entry.Second]));
        return (await Task.WhenAll(removals)).Sum(result => (int)result);
    }

    /// <summary>Returns null for a value that is not a directory entry. Such a value is left unchanged.</summary>
    private static SiloAddress? OwnerOf(RedisValue value)
    {
        try
        {
            return JsonSerializer.Deserialize<GrainAddress>(value.ToString())?.SiloAddress;
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The pattern of the directory's keys. Wildcard characters in the cluster id are escaped.</summary>
    private string KeyPattern()
    {
        var literal = string.Concat(options.Value.ClusterId.Select(c => c is '*' or '?' or '[' or ']' or '\\' ? $"\\{c}" : $"{c}"));
        return $"{literal}/directory/*";
    }

    private static IEnumerable<SiloAddress> WithStatus(ClusterMembershipSnapshot snapshot, SiloStatus status) =>
        snapshot.Members.Values.Where(member => member.Status == status).Select(member => member.SiloAddress);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Information, "Removed {Count} entries of dead silos from the grain directory.")]
        public static partial void Swept(ILogger logger, int count);

        [LoggerMessage(2, LogLevel.Warning, "The grain directory could not be searched for entries of dead silos ({Fault}). The search will be retried.")]
        public static partial void NotSwept(ILogger logger, string fault);
    }
}
