using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Which silo holds which session, in Redis: a silo that is lost takes no part of the directory with it.</summary>
internal static class SessionDirectory
{
    public static void AddSessionDirectory(this ISiloBuilder silo, ClusterConnectionOptions cluster)
    {
        silo.UseRedisGrainDirectoryAsDefault(options => options.ConfigurationOptions = ConfigurationOptions.Parse(cluster.Redis));
        silo.Services.AddHostedService<DirectorySweep>();
    }
}
