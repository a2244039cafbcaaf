using OrleansSessions.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>Section <c>Cluster</c>: how this process finds the others.</summary>
public sealed class ClusterConnectionOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Cluster";

    /// <summary><c>Localhost</c> (default: one process, in memory) or <c>Redis</c>.</summary>
    public ClusterProvider Provider { get; set; } = ClusterProvider.Localhost;

    /// <summary>The Redis server, as StackExchange.Redis writes it: <c>host:6379,password=...,ssl=true</c>. Required with <c>Redis</c>; no default. Never logged.</summary>
    public string Redis { get; set; } = "";

    /// <summary>Processes with the same id form one cluster. Default <c>orleans-sessions</c>.</summary>
    public string ClusterId { get; set; } = "orleans-sessions";

    /// <summary>Names the stored sessions: a new cluster with the same id finds them. Default <c>orleans-sessions</c>.</summary>
    public string ServiceId { get; set; } = "orleans-sessions";

    /// <summary>TCP port for other silos, from 0 to 65535; 0 is any free one. Default: a free one with <c>Localhost</c>, 11111 with <c>Redis</c>.</summary>
    [Within(0, 65535)]
    public int? SiloPort { get; set; }

    /// <summary>TCP port for socket gateways in processes of their own, from 0 to 65535; 0 is any free one. Default: a free one with <c>Localhost</c>, 30000 with <c>Redis</c>.</summary>
    [Within(0, 65535)]
    public int? OrleansGatewayPort { get; set; }

    /// <summary>
    /// The IP address or host name under which the others reach this silo. Default: this machine's own address with <c>Redis</c>.
    /// <c>Localhost</c> is always 127.0.0.1. With a loopback address the silo listens on it alone, else on every interface.
    /// </summary>
    public string AdvertisedAddress { get; set; } = "";

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes()
    {
        if (string.IsNullOrWhiteSpace(ClusterId))
        {
            yield return $"{Section}:{nameof(ClusterId)} is '{ClusterId}'; it must not be empty.";
        }

        if (string.IsNullOrWhiteSpace(ServiceId))
        {
            yield return $"{Section}:{nameof(ServiceId)} is '{ServiceId}'; it must not be empty.";
        }

        if (SiloPort is > 0 && SiloPort == OrleansGatewayPort)
        {
            yield return $"{Section}:{nameof(SiloPort)} and {Section}:{nameof(OrleansGatewayPort)} are both {SiloPort}; they must differ.";
        }
    }
}
