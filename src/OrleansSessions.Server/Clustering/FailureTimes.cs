using Orleans.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// Configures how fast a lost process is detected. With Orleans' own values, the sessions of a killed silo are unavailable for 12 s and those
/// of a frozen silo for a minute; with these values for 2 s and 3 s. The cost is one probe per second between neighbors.
/// </summary>
internal static class FailureTimes
{
    /// <summary>A dedicated thread answers probes, so a busy silo misses none. After three missed probes in a row a silo is dead.</summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    /// <summary>Calls to a lost silo fail only after this time. Every session call can be repeated.</summary>
    private static readonly TimeSpan Response = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How often a silo writes that it is alive. After three of these it counts for nothing, so that the others need no votes of silos that are lost too: of three
    /// that lose two at the same time, the last one goes on after about 5 s. It costs one write each time.
    /// </summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(5);

    public static void ApplyFailureTimes(this ISiloBuilder silo)
    {
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = Probe;
            options.MinProbeTimeout = Probe / 2;
            options.MaxProbeTimeout = Probe;
            options.NumMissedProbesLimit = 3;
            options.IAmAliveTablePublishTimeout = Alive;
        });
        silo.Configure<SiloMessagingOptions>(options =>
        {
            options.ResponseTimeout = Response;
            options.SystemResponseTimeout = Response;
            options.ClientDropTimeout = Response;
        });
    }

    public static void ApplyFailureTimes(this IClientBuilder client)
    {
        client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = Response);
        client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = Refresh);
    }
}
