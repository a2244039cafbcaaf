using System.Net;
using System.Net.Sockets;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// The address at which other processes reach this silo, and the one on which both of its ports listen. Whoever reaches these ports can do
/// anything in the cluster, so they are opened on one address and not on every interface.
/// </summary>
internal sealed record SiloAddresses(IPAddress Advertised, IPAddress Listening)
{
    /// <exception cref="ConfigurationErrorException">The host name cannot be resolved.</exception>
    public static SiloAddresses Resolve(ClusterConnectionOptions options)
    {
        var advertised = options.Provider == ClusterProvider.Localhost ? IPAddress.Loopback
            : IPAddress.TryParse(options.AdvertisedAddress, out var literal) ? literal
            : LookUp(options.AdvertisedAddress.Length > 0 ? options.AdvertisedAddress : Dns.GetHostName(), options.AdvertisedAddress);
        return new(advertised, IPAddress.TryParse(options.ListenAddress, out var listening) ? listening : advertised);
    }

    /// <summary>Prefers IPv4 to IPv6, and an address that others can reach to loopback, which some machines return for their own name.</summary>
    private static IPAddress LookUp(string host, string configured)
    {
        try
        {
            var addresses = Dns.GetHostAddresses(host);
            return addresses.OrderBy(IPAddress.IsLoopback).ThenBy(address => address.AddressFamily != AddressFamily.InterNetwork).First();
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException or InvalidOperationException)
        {
            throw new ConfigurationErrorException(
                [$"Cluster:AdvertisedAddress is '{configured}'; the host name '{host}' cannot be resolved: {exception.Message}."]);
        }
    }
}
