using System.Net;
using Orleans.Configuration;
using OrleansSessions.Grains;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Configures this process as a silo, or as a client of silos in other processes.</summary>
internal static class OrleansHosting
{
    private static readonly TimeSpan SiloRetryPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Adds Orleans with the configured role and provider.</summary>
    public static void AddOrleans(this WebApplicationBuilder builder, ServerRole role, ClusterConnectionOptions cluster, SessionsOptions sessions)
    {
        if (role == ServerRole.SocketGateway)
        {
            builder.UseOrleansClient(client => ConfigureClient(client, cluster));
            return;
        }

        var ports = SiloPorts.Take(cluster, SiloAddresses.Resolve(cluster));
        builder.UseOrleans(silo => ConfigureSilo(silo, cluster, sessions, ports));
        // The ports are held until the hosted service that starts the silo is about to run. Hosted services start in the order of registration.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService>(new SiloPortsRelease(ports)));
    }

    private static void ConfigureClient(IClientBuilder client, ClusterConnectionOptions cluster)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        client.UseRedisClustering(options => options.ConfigurationOptions = RedisClient.Parse(cluster.Redis));
        client.ApplyFailureTimes();
        client.UseConnectionRetryFilter(WaitForASiloAsync);
        client.AddSessionStreams();
    }

    /// <summary>
    /// Silos can start after their socket gateways, so a socket gateway without silos keeps waiting. A store that is not available is a mistake that
    /// must be reported.
    /// </summary>
    private static async Task<bool> WaitForASiloAsync(Exception exception, CancellationToken cancellationToken)
    {
        if (exception is RedisException)
        {
            return false;
        }

        await Task.Delay(SiloRetryPeriod, TimeProvider.System, cancellationToken);
        return true;
    }

    private static void ConfigureSilo(ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions, SiloPorts ports)
    {
        if (cluster.Provider == ClusterProvider.Redis)
        {
            silo.UseRedisClustering(options => options.ConfigurationOptions = RedisClient.Parse(cluster.Redis));
            silo.WatchMembershipTable();
            silo.AddSessionDirectory(cluster);
            silo.ApplyFailureTimes();
        }
        else
        {
            // This process is its own primary silo. Another such process on this machine is another cluster.
            silo.UseDevelopmentClustering(new IPEndPoint(ports.Addresses.Advertised, ports.Silo));
        }

        silo.AddSessionStorage(cluster, sessions);
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        silo.Configure<EndpointOptions>(endpoints =>
        {
            endpoints.AdvertisedIPAddress = ports.Addresses.Advertised;
            endpoints.SiloPort = ports.Silo;
            endpoints.GatewayPort = ports.OrleansGateway;
            endpoints.SiloListeningEndpoint = new(ports.Addresses.Listening, ports.Silo);
            endpoints.GatewayListeningEndpoint = new(ports.Addresses.Listening, ports.OrleansGateway);
        });
        silo.AddSessionGrains(configPrefix: null);
    }
}
