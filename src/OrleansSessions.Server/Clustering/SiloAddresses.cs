using System.Net;
using System.Net.Sockets;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>Determines the address at which other processes reach this silo, and the address on which it listens.</summary>
internal static class SiloAddresses
{
    /// <exception cref="ConfigurationErrorException">The host name cannot be resolved.</exception>
    public static (IPAddress Advertised, IPAddress Listening) Resolve(ClusterConnectionOptions options)
    {
        var advertised = options.Provider == ClusterProvider.Localhost ? IPAddress.Loopback
            : IPAddress.TryParse(options.AdvertisedAddress, out var literal) ? literal
            : LookUp(options.AdvertisedAddress.Length > 0 ? options.AdvertisedAddress : Dns.GetHostName(), options.AdvertisedAddress);
        var any = advertised.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        return (advertised, IPAddress.IsLoopback(advertised) ? advertised : any);
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
