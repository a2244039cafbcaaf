using Microsoft.Extensions.Options;
using Orleans.Persistence;
using Orleans.Serialization;
using Orleans.Storage;
using OrleansSessions.Sessions;
using OrleansSessions.Storage.Sqlite;

namespace OrleansSessions.Server.Clustering;

/// <summary>Stores sessions where this process is configured to: in Redis, in a file or, with neither, in memory.</summary>
internal static class SessionStorage
{
    /// <summary>Added to the longest time between two writes, for writes that are tried again. At most <see cref="SessionsOptions.Retention"/> is added.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    public static void AddSessionStorage(this ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions)
    {
        var place = PlaceOf(cluster, sessions);
        if (place == SessionPersistence.Stored)
        {
            silo.AddRedis(cluster, sessions);
        }
        else if (place == SessionPersistence.File)
        {
            silo.AddSqliteGrainStorage(
                SessionsOptions.StorageName,
                options => (options.Path, options.EntryExpiry, options.SyncEachCommit) = (sessions.File, EntryExpiry(sessions), sessions.FileSync));
        }
    }

    /// <summary>Opens the file of the sessions, if they are in one.</summary>
    /// <exception cref="SqliteStorageException">The file cannot be used.</exception>
    public static Task OpenSessionFileAsync(this IServiceProvider services)
    {
        var (cluster, sessions) = (services.GetRequiredService<IOptions<ClusterConnectionOptions>>(), services.GetRequiredService<IOptions<SessionsOptions>>());
        return PlaceOf(cluster.Value, sessions.Value) == SessionPersistence.File
            ? services.OpenSqliteGrainStorageAsync(SessionsOptions.StorageName)
            : Task.CompletedTask;
    }

    /// <summary>Where sessions are kept: <c>Auto</c> is Redis if this process uses it, and a file otherwise.</summary>
    public static SessionPersistence PlaceOf(ClusterConnectionOptions cluster, SessionsOptions sessions) =>
        sessions.Persistence != SessionPersistence.Auto ? sessions.Persistence
        : cluster.Provider == ClusterProvider.Redis ? SessionPersistence.Stored
        : SessionPersistence.File;

    /// <summary>Says where sessions are kept, for the operator.</summary>
    public static string Describe(ClusterConnectionOptions cluster, SessionsOptions sessions) => PlaceOf(cluster, sessions) switch
    {
        SessionPersistence.Stored => "Redis",
        SessionPersistence.File => Path.GetFullPath(sessions.File),
        _ => "in memory",
    };

    /// <summary>
    /// Longer than an activation can live without a write, because an activation that writes after its key has expired loses its state.
    /// The activation can wait in a queue, answer until the total timer, be retained, and be idle until it is collected.
    /// </summary>
    public static TimeSpan EntryExpiry(SessionsOptions sessions) =>
        sessions.QueueTimeout + sessions.AnswerTimeout + sessions.Retention + sessions.CollectionAge + (sessions.Retention < Margin ? sessions.Retention : Margin);

    private static void AddRedis(this ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions) =>
        silo.AddRedisGrainStorage(SessionsOptions.StorageName, (OptionsBuilder<RedisStorageOptions> storage) => storage.Configure<Serializer>((options, serializer) =>
        {
            options.ConfigurationOptions = RedisClient.Parse(cluster.Redis);
            options.DeleteStateOnClear = true;
            options.EntryExpiry = EntryExpiry(sessions);
            // The JSON serializer accepts only listed types, and its output grows with every piece of an answer.
            options.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
}
