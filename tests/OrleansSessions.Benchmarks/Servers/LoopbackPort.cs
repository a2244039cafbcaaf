using System.Net;
using System.Net.Sockets;

namespace OrleansSessions.Benchmarks.Servers;

/// <summary>Ports for servers that cannot select one by themselves.</summary>
internal static class LoopbackPort
{
    /// <summary>Returns a port that is free at the moment.</summary>
    public static int TakeFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
