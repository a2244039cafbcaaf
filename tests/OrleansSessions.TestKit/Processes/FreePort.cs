using System.Net;
using System.Net.Sockets;

namespace OrleansSessions.TestKit.Processes;

/// <summary>
/// TCP ports of loopback for programs that cannot ask the system for one, or that come back on the same one. The system gives its own
/// to any listener on port 0 and to any connection, so one that was seen free there is not free for long. These are below them: the system's
/// begin at 32768 on Linux and at 49152 elsewhere.
/// </summary>
public static class FreePort
{
    private const int First = 10000;
    private const int Count = 10000;
    private static readonly Lock Gate = new();
    private static readonly List<Socket> Claims = [];
    private static int _next = Random.Shared.Next(Count);

    /// <summary>A port that no other call returns, in this process or another, as long as this process lives.</summary>
    /// <exception cref="InvalidOperationException">None is left.</exception>
    public static int Take()
    {
        lock (Gate)
        {
            for (var tried = 0; tried < Count; tried++)
            {
                var port = First + (_next++ % Count);
                if (TryClaim(port))
                {
                    return port;
                }
            }
        }

        throw new InvalidOperationException($"No port from {First} to {First + Count - 1} is free on loopback.");
    }

    // The claim is the UDP port of the same number: TCP does not see it, and the system drops it when the process ends, however it ends.
    private static bool TryClaim(int port)
    {
        var claim = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            claim.ExclusiveAddressUse = true;
            claim.Bind(new IPEndPoint(IPAddress.Loopback, port));
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            Claims.Add(claim);
            return true;
        }
        catch (SocketException)
        {
            claim.Dispose();
            return false;
        }
    }
}
