using Orleans.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// How fast a lost process is noticed. With Orleans' own values a killed silo's sessions are away for 12 s and a frozen one's for a minute;
/// with these for 2 s and 3 s. The price is a probe a second between neighbours.
/// </summary>
internal static class FailureTimes
{
    /// <summary>Probes are answered by a thread of their own, so a busy silo misses none: three in a row are a dead one.</summary>
    private static readonly TimeSpan Probe = TimeSpan.FromSeconds(1);

    /// <summary>Calls to a lost silo fail only after this; every session call may be repeated.</summary>
    private static readonly TimeSpan Response = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(5);

    public static void ApplyFailureTimes(this ISiloBuilder silo)
    {
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = Probe;
            options.MinProbeTimeout = Probe / 2;
            options.MaxProbeTimeout = Probe;
            options.NumMissedProbesLimit = 3;
            options.IAmAliveTablePublishTimeout = Refresh;
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
