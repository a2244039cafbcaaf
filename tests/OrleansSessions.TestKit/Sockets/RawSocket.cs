using System.Net.Sockets;
using System.Text;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>A hand-written WebSocket for bytes that no client library sends. Its whole life has a deadline.</summary>
public sealed class RawSocket : IDisposable
{
    public const int Continuation = 0x0;
    public const int Text = 0x1;
    public const int Close = 0x8;
    public const int Ping = 0x9;
    public const int Pong = 0xA;

    /// <summary>The first reserved bit, which only a negotiated extension may set.</summary>
    public const int Reserved = 0x40;

    private const int FinalBit = 0x80;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _deadline = new(Patience, TimeProvider.System);
    private readonly Socket _tcp = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private NetworkStream? _stream;

    private RawSocket()
    {
    }

    private NetworkStream Stream => _stream ??= new(_tcp);

    /// <summary>The first lines of the server's response, with the headers.</summary>
    public string Head { get; private set; } = "";

    /// <param name="headers">More headers of the request, each with CR LF at its end.</param>
    public static async Task<RawSocket> ConnectAsync(Uri address, string headers = "")
    {
        var socket = await DialAsync(address);
        await socket.SendAsync(Upgrade(address, headers));
        await socket.ReadHeadAsync();
        return socket;
    }

    /// <summary>Opens a connection and sends nothing.</summary>
    public static async Task<RawSocket> DialAsync(Uri address)
    {
        var socket = new RawSocket();
        await socket._tcp.ConnectAsync(address.Host, address.Port, socket._deadline.Token);
        return socket;
    }

    /// <summary>Returns the request that opens a WebSocket.</summary>
    public static byte[] Upgrade(Uri address, string headers = "") => Encoding.ASCII.GetBytes(
        $"GET {address.PathAndQuery} HTTP/1.1\r\nHost: {address.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{headers}\r\n");

    /// <summary>Connects, sends these bytes, and reads until the server closes. Returns the close code, or null if the connection ended without one.</summary>
    public static async Task<int?> CloseCodeAfterAsync(Uri address, ReadOnlyMemory<byte> bytes)
    {
        using var socket = await ConnectAsync(address);
        await socket.SendAsync(bytes);
        return await socket.CloseCodeAsync();
    }

    /// <summary>Creates a masked client frame. The mask is zero, so the payload is sent unchanged.</summary>
    public static byte[] Frame(int opcode, ReadOnlySpan<byte> payload, bool isFinal = true) =>
        [(byte)((isFinal ? FinalBit : 0) | opcode), .. Length(payload.Length), 0, 0, 0, 0, .. payload];

    /// <summary>Creates a masked close frame with this code.</summary>
    public static byte[] CloseFrame(int code) => Frame(Close, [(byte)(code >> 8), (byte)code]);

    public Task SendAsync(ReadOnlyMemory<byte> bytes) => Stream.WriteAsync(bytes, _deadline.Token).AsTask();

    /// <summary>Resets the connection: what was sent and not received yet is lost.</summary>
    public void Reset()
    {
        _tcp.LingerState = new(true, 0);
        _tcp.Close();
    }

    /// <summary>Ends the sending side; reading continues.</summary>
    public void EndSending() => _tcp.Shutdown(SocketShutdown.Send);

    /// <summary>Reads up to the server's close frame. Returns its code, 1005 if it has none, or null if the connection ended without a close frame.</summary>
    /// <param name="answer">The bytes to send after each other frame, or null to only read.</param>
    public async Task<int?> CloseCodeAsync(byte[]? answer = null)
    {
        try
        {
            while (true)
            {
                var (opcode, payload) = await ReadFrameAsync();
                if (opcode == (FinalBit | Close))
                {
                    return payload.Length < 2 ? 1005 : (payload[0] << 8) | payload[1];
                }

                await SendAsync(answer ?? []);
            }
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads until the server ends the connection, and throws if it sends anything more. Returns true if the server closed it normally,
    /// false if it reset it.
    /// </summary>
    public async Task<bool> EndsInOrderAsync()
    {
        try
        {
            var more = await Stream.ReadAsync(new byte[1], _deadline.Token);
            return more == 0 ? true : throw new InvalidOperationException("The server sent something after its close frame.");
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _tcp.Dispose();
        _deadline.Dispose();
    }

    private static byte[] Length(int length) =>
        length < 126 ? [(byte)(FinalBit | length)] : [FinalBit | 126, (byte)(length >> 8), (byte)length];

    /// <summary>Reads the response to the upgrade.</summary>
    public async Task ReadHeadAsync()
    {
        var (one, head) = (new byte[1], new StringBuilder());
        do
        {
            await ReadAsync(one);
            head.Append((char)one[0]);
        }
        while (one[0] != '\n' || !head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal));
        Head = head.ToString();
    }

    /// <summary>Reads one frame of at most 64 KiB.</summary>
    public async Task<(int FirstByte, byte[] Payload)> ReadFrameAsync()
    {
        var head = new byte[2];
        await ReadAsync(head);
        int length = head[1];
        if (length == 126)
        {
            var extended = new byte[2];
            await ReadAsync(extended);
            length = (extended[0] << 8) | extended[1];
        }

        var payload = new byte[length];
        await ReadAsync(payload);
        return (head[0], payload);
    }

    private ValueTask ReadAsync(byte[] buffer) => Stream.ReadExactlyAsync(buffer, _deadline.Token);
}
