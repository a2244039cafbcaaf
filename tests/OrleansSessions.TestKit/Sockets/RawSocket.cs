using System.Net.Sockets;
using System.Text;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>A WebSocket by hand, for bytes that no client library would send.</summary>
public static class RawSocket
{
    private const int Close = 0x88;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Connects, sends these bytes, and reads until the server closes: its close code, or null where the connection ended without one.</summary>
    public static async Task<int?> CloseCodeAfterAsync(Uri address, ReadOnlyMemory<byte> bytes)
    {
        using var deadline = new CancellationTokenSource(Patience, TimeProvider.System);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(address.Host, address.Port, deadline.Token);
        var stream = tcp.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {address.PathAndQuery} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
            deadline.Token);
        try
        {
            await SkipHeadAsync(stream, deadline.Token);
            await stream.WriteAsync(bytes, deadline.Token);
            while (true)
            {
                var (opcode, payload) = await ReadFrameAsync(stream, deadline.Token);
                if (opcode == Close)
                {
                    return payload.Length < 2 ? 1005 : (payload[0] << 8) | payload[1];
                }
            }
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static async Task SkipHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var (one, ending) = (new byte[1], 0);
        while (ending < 4)
        {
            await stream.ReadExactlyAsync(one, cancellationToken);
            ending = one[0] == "\r\n\r\n"[ending] ? ending + 1 : one[0] == '\r' ? 1 : 0;
        }
    }

    private static async Task<(int Opcode, byte[] Payload)> ReadFrameAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new byte[2];
        await stream.ReadExactlyAsync(head, cancellationToken);
        int length = head[1];
        if (length == 126)
        {
            var extended = new byte[2];
            await stream.ReadExactlyAsync(extended, cancellationToken);
            length = (extended[0] << 8) | extended[1];
        }

        var payload = new byte[length];
        await stream.ReadExactlyAsync(payload, cancellationToken);
        return (head[0], payload);
    }
}
