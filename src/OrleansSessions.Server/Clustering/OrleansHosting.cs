using System.Net;
using Orleans.Configuration;
using OrleansSessions.Grains;
using OrleansSessions.Server.Configuration;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway;
using StackExchange.Redis;

namespace OrleansSessions.Server.Clustering;

/// <summary>Makes this process a silo, or a client of silos elsewhere.</summary>
internal static class OrleansHosting
{
    private static readonly TimeSpan SiloRetryPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Adds Orleans in the role and with the provider that the configuration names.</summary>
    public static void AddOrleans(this WebApplicationBuilder builder, ServerRole role, ClusterConnectionOptions cluster, SessionsOptions sessions)
    {
        if (role == ServerRole.SocketGateway)
        {
            builder.UseOrleansClient(client => ConfigureClient(client, cluster));
            return;
        }

        var (advertised, listening) = SiloAddresses.Resolve(cluster);
        var ports = SiloPorts.Take(cluster, listening);
        builder.UseOrleans(silo => ConfigureSilo(silo, cluster, sessions, ports, advertised));
        // Held until the hosted service that starts the silo is about to run: hosted services start in the order of registration.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService>(new SiloPortsRelease(ports)));
    }

    private static void ConfigureClient(IClientBuilder client, ClusterConnectionOptions cluster)
    {
        client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        client.UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(cluster.Redis));
        client.ApplyFailureTimes();
        client.UseConnectionRetryFilter(WaitForASiloAsync);
        client.AddSessionStreams();
    }

    /// <summary>Silos may start after their socket gateways, so having none is waited out; a store that is not there is a mistake to tell.</summary>
    private static async Task<bool> WaitForASiloAsync(Exception exception, CancellationToken cancellationToken)
    {
        if (exception is RedisException)
        {
            return false;
        }

        await Task.Delay(SiloRetryPeriod, TimeProvider.System, cancellationToken);
        return true;
    }

    private static void ConfigureSilo(
        ISiloBuilder silo, ClusterConnectionOptions cluster, SessionsOptions sessions, SiloPorts ports, IPAddress advertised)
    {
        if (cluster.Provider == ClusterProvider.Redis)
        {
            silo.UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(cluster.Redis));
            silo.AddSessionStorage(cluster, sessions);
            silo.AddSessionDirectory(cluster);
            silo.ApplyFailureTimes();
        }
        else
        {
            // Its own primary silo: another such process on this machine is another cluster.
            silo.UseDevelopmentClustering(new IPEndPoint(advertised, ports.Silo));
        }

        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));
        silo.ConfigureEndpoints(advertised, ports.Silo, ports.OrleansGateway, listenOnAnyHostAddress: !IPAddress.IsLoopback(ports.Listening));
        silo.AddSessionGrains(configPrefix: null);
        silo.Services.AddHostedService<EvictionLimit>();
    }
}
