using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace OrleansSessions.Benchmarks.Abuse;

/// <summary>A TCP connection that speaks as much of HTTP and WebSocket as an attacker needs.</summary>
internal sealed class HostileSocket : IDisposable
{
    private const byte TextFrame = 0x81;
    private const byte MaskBit = 0x80;
    private const int ShortPayload = 125;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public async Task ConnectAsync(Uri server, CancellationToken cancellationToken) => await _socket.ConnectAsync(server.Host, server.Port, cancellationToken);

    /// <summary>Opens a v1 WebSocket. The answer to the upgrade is read, and nothing after it.</summary>
    public async Task UpgradeAsync(Uri server, string session, string headers, CancellationToken cancellationToken)
    {
        await ConnectAsync(server, cancellationToken);
        await SendAsync(Encoding.ASCII.GetBytes(UpgradeOf(server, session, headers) + "\r\n"), cancellationToken);
        var buffer = new byte[1];
        for (var (lineEnds, read) = (0, 1); lineEnds < 4 && read > 0;)
        {
            read = await _socket.ReceiveAsync(buffer, cancellationToken);
            lineEnds = read > 0 && buffer[0] is (byte)'\r' or (byte)'\n' ? lineEnds + 1 : 0;
        }
    }

    /// <summary>The request of an upgrade without its last line.</summary>
    public static string UpgradeOf(Uri server, string session, string headers) =>
        $"GET /ws/{session}?v=1 HTTP/1.1\r\nHost: {server.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + $"Sec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}\r\n{headers}";

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
        }
    }

    /// <summary>Reads and drops everything until the server closes.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        while (await _socket.ReceiveAsync(buffer, cancellationToken) > 0)
        {
        }
    }

    /// <summary>Ends the connection with a reset.</summary>
    public void Reset() => _socket.Close(timeout: 0);

    public void Dispose() => _socket.Dispose();

    public static byte[] Text(string json) => Frame(TextFrame, Encoding.UTF8.GetBytes(json));

    /// <summary>A frame with a mask of zeros, which leaves the payload as it is.</summary>
    public static byte[] Frame(byte first, byte[] payload)
    {
        byte[] length = payload.Length <= ShortPayload
            ? [(byte)(MaskBit | payload.Length)]
            : [MaskBit | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        return [first, .. length, 0, 0, 0, 0, .. payload];
    }

    /// <summary>The same bytes many times, to send them with one call.</summary>
    public static byte[] Many(byte[] frame, int count) => [.. Enumerable.Repeat(frame, count).SelectMany(static one => one)];
}
