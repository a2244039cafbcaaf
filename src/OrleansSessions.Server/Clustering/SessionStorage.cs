using Microsoft.Extensions.Options;
using Orleans.Persistence;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Sessions;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Stores sessions in Redis.</summary>
internal static class SessionStorage
{
    /// <summary>Added to the longest time between two writes, for clock differences and retried writes.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    public static void AddSessionStorage(this ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions) =>
        silo.AddRedisGrainStorage(SessionsOptions.StorageName, (OptionsBuilder<RedisStorageOptions> storage) => storage.Configure<Serializer>((options, serializer) =>
        {
            options.ConfigurationOptions = ConfigurationOptions.Parse(cluster.Redis);
            options.DeleteStateOnClear = true;
            options.EntryExpiry = EntryExpiry(sessions);
            // The JSON serializer accepts only listed types, and its output grows with every piece of an answer.
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));

    /// <summary>
    /// Longer than an activation can live without a write, because an activation that writes after its key has expired loses its state.
    /// The activation can wait in a queue, answer until the total timer, be retained, and be idle until it is collected.
    /// </summary>
    public static TimeSpan EntryExpiry(SessionsOptions sessions) =>
        sessions.QueueTimeout + sessions.AnswerTimeout + sessions.Retention + sessions.CollectionAge + Margin;
}
