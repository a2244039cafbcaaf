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

    private SiloPorts(IPAddress listening) => Listening = listening;

    /// <summary>The address on which both ports are reserved.</summary>
    public IPAddress Listening { get; }

    public int Silo { get; private set; }

    public int OrleansGateway { get; private set; }

    /// <exception cref="ConfigurationErrorException">A port is in use. The message names each affected key.</exception>
    public static SiloPorts Take(ClusterConnectionOptions options, IPAddress listening)
    {
        var (siloDefault, gatewayDefault) = options.Provider == ClusterProvider.Localhost ? (0, 0) : (11111, 30000);
        var ports = new SiloPorts(listening);
        var errors = new List<string>();
        ports.Silo = ports.Hold("Cluster:SiloPort", options.SiloPort ?? siloDefault, errors);
        ports.OrleansGateway = ports.Hold("Cluster:OrleansGatewayPort", options.OrleansGatewayPort ?? gatewayDefault, errors);
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
        var socket = new Socket(Listening.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _held.Add(socket);
        try
        {
            socket.ExclusiveAddressUse = true;
            socket.Bind(new IPEndPoint(Listening, port));
            socket.Listen();
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException exception)
        {
            errors.Add($"{key} is {port}; it cannot be used on {Listening}: {exception.Message}.");
            return 0;
        }
    }
}
