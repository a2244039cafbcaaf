using System.Net;
using System.Net.Sockets;
using OrleansSessions.Server.Configuration;

namespace OrleansSessions.Server.Clustering;

/// <summary>
/// Reserves the silo's two ports for this process until the silo itself listens. Orleans' own listeners silently share a port with other
/// processes, and the kernel would then distribute the connections among unrelated processes.
/// </summary>
internal sealed class SiloPorts : IDisposable
{
    private readonly List<Socket> _held = [];
    private bool _isForeign;

    private SiloPorts(SiloAddresses addresses) => Addresses = addresses;

    /// <summary>The addresses of the silo. Both ports are reserved on the one on which it listens.</summary>
    public SiloAddresses Addresses { get; }

    public int Silo { get; private set; }

    public int OrleansGateway { get; private set; }

    /// <exception cref="ConfigurationErrorException">
    /// A port is in use, or the address is not one of this machine. The message names each affected key.
    /// </exception>
    public static SiloPorts Take(ClusterConnectionOptions options, SiloAddresses addresses)
    {
        var (siloDefault, gatewayDefault) = options.Provider == ClusterProvider.Localhost ? (0, 0) : (11111, 30000);
        var ports = new SiloPorts(addresses);
        var errors = new List<string>();
        ports.Silo = ports.Hold("Cluster:SiloPort", options.SiloPort ?? siloDefault, errors);
        ports.OrleansGateway = ports.Hold("Cluster:OrleansGatewayPort", options.OrleansGatewayPort ?? gatewayDefault, errors);
        if (ports._isForeign)
        {
            errors = [NotOfThisMachine(options, addresses.Listening)];
        }

        if (errors.Count > 0)
        {
            ports.Dispose();
            throw new ConfigurationErrorException(errors);
        }

        return ports;
    }

    /// <summary>Releases the ports for the silo.</summary>
    public void Dispose()
    {
        _held.ForEach(socket => socket.Dispose());
        _held.Clear();
    }

    private int Hold(string key, int port, List<string> errors)
    {
        var socket = new Socket(Addresses.Listening.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _held.Add(socket);
        try
        {
            socket.ExclusiveAddressUse = true;
            socket.Bind(new IPEndPoint(Addresses.Listening, port));
            socket.Listen();
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException exception)
        {
            _isForeign |= exception.SocketErrorCode == SocketError.AddressNotAvailable;
            errors.Add($"{key} is {port}; it cannot be used on {Addresses.Listening}: {exception.Message}.");
            return 0;
        }
    }

    private static string NotOfThisMachine(ClusterConnectionOptions options, IPAddress listening) => options.ListenAddress.Length > 0
        ? $"Cluster:ListenAddress is '{options.ListenAddress}', which is not an address of this machine; set one that is, or 0.0.0.0 for every interface."
        : $"Cluster:AdvertisedAddress is '{options.AdvertisedAddress}', which means {listening}, and that is not an address of this machine; "
            + "set Cluster:ListenAddress to the address of this machine on which the silo listens, or to 0.0.0.0 for every interface.";
}
