using Microsoft.Extensions.Options;
using Orleans.Persistence;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Sessions;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Sessions in Redis.</summary>
internal static class SessionStorage
{
    /// <summary>On top of everything that can pass between two writes, for clocks that differ and writes that are tried again.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    public static void AddSessionStorage(this ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions) =>
        silo.AddRedisGrainStorage(SessionsOptions.StorageName, (OptionsBuilder<RedisStorageOptions> storage) => storage.Configure<Serializer>((options, serializer) =>
        {
            options.ConfigurationOptions = ConfigurationOptions.Parse(cluster.Redis);
            options.DeleteStateOnClear = true;
            options.EntryExpiry = EntryExpiry(sessions);
            // The JSON one trusts only listed types, and grows with every piece of an answer.
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));

    /// <summary>
    /// Longer than an activation can live without a write: one that writes after its key has expired loses its state.
    /// It may wait in a queue, answer until the total timer, stay remembered, and idle until it is collected.
    /// </summary>
    public static TimeSpan EntryExpiry(SessionsOptions sessions) =>
        sessions.QueueTimeout + sessions.AnswerTimeout + sessions.Retention + sessions.CollectionAge + Margin;
}
