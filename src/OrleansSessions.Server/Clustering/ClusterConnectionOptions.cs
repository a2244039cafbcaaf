using System.Net;
using OrleansSessions.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>Section <c>Cluster</c>: how this process finds the other processes.</summary>
public sealed class ClusterConnectionOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Cluster";

    /// <summary><c>Localhost</c> (default: one process, with its sessions in a file) or <c>Redis</c>.</summary>
    public ClusterProvider Provider { get; set; } = ClusterProvider.Localhost;

    /// <summary>
    /// The Redis server as a StackExchange.Redis connection string: <c>host:6379,password=...,ssl=true</c>. Required with <c>Redis</c>;
    /// no default. Never logged.
    /// </summary>
    public string Redis { get; set; } = "";

    /// <summary>Processes with the same id form one cluster. Default <c>orleans-sessions</c>.</summary>
    public string ClusterId { get; set; } = "orleans-sessions";

    /// <summary>Identifies the stored sessions: a new cluster with the same id finds them. Default <c>orleans-sessions</c>.</summary>
    public string ServiceId { get; set; } = "orleans-sessions";

    /// <summary>
    /// The TCP port for other silos, from 0 to 65535; 0 selects a free port.
    /// Default: a free port with <c>Localhost</c>, 11111 with <c>Redis</c>.
    /// </summary>
    [Within(0, 65535)]
    public int? SiloPort { get; set; }

    /// <summary>
    /// The TCP port for socket gateways in other processes, from 0 to 65535; 0 selects a free port.
    /// Default: a free port with <c>Localhost</c>, 30000 with <c>Redis</c>.
    /// </summary>
    [Within(0, 65535)]
    public int? OrleansGatewayPort { get; set; }

    /// <summary>
    /// The IP address or host name at which other processes reach this silo. Default: this machine's own address with <c>Redis</c>.
    /// With <c>Localhost</c> it is always 127.0.0.1. Both ports listen only on this address, unless <c>ListenAddress</c> is set.
    /// </summary>
    public string AdvertisedAddress { get; set; } = "";

    /// <summary>
    /// The IP address of this machine on which both ports listen. Default: the advertised address. Set it where the advertised address belongs to
    /// something else, for example to a port mapping in front of a container. <c>0.0.0.0</c> is every IPv4 address, <c>::</c> every IPv6 address.
    /// </summary>
    public string ListenAddress { get; set; } = "";

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

        if (IPAddress.TryParse(AdvertisedAddress, out var advertised) && (advertised.Equals(IPAddress.Any) || advertised.Equals(IPAddress.IPv6Any)))
        {
            yield return $"{Section}:{nameof(AdvertisedAddress)} is '{AdvertisedAddress}', at which no other process can reach this silo; "
                + $"to listen on every interface, set {Section}:{nameof(ListenAddress)}.";
        }

        if (ListenAddress.Length > 0 && !IPAddress.TryParse(ListenAddress, out _))
        {
            yield return $"{Section}:{nameof(ListenAddress)} is '{ListenAddress}'; it must be an IP address of this machine, for example 10.0.0.5 or 0.0.0.0.";
        }
    }
}
