using OrleansSessions.Grains;

namespace OrleansSessions.Server.Clustering;

/// <summary>Stores in Redis which silo holds which session, so that a lost silo does not take a part of the directory with it.</summary>
internal static class SessionDirectory
{
    public static void AddSessionDirectory(this ISiloBuilder silo, ClusterConnectionOptions cluster)
    {
        silo.UseRedisGrainDirectoryAsDefault(options => options.ConfigurationOptions = RedisClient.Parse(cluster.Redis));
        silo.WatchDefaultGrainDirectory();
        silo.Services.AddHostedService<DirectorySweep>();
    }
}
