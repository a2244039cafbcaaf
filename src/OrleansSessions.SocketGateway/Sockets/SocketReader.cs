using System.Buffers;
using System.Net.WebSockets;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>Who gets what a reader reads, one after the other.</summary>
internal interface ISocketReaderOwner
{
    /// <summary>True once the socket is being closed: what still comes is thrown away.</summary>
    bool IsClosing { get; }

    /// <summary>Handles one whole text message. The span is gone after the call.</summary>
    ValueTask OnMessageAsync(ReadOnlySpan<byte> utf8);

    /// <summary>The peer broke a limit; the socket must be closed with this code.</summary>
    void OnViolation(int closeCode, string reason);
}

/// <summary>
/// The receiving half of one socket. It waits without a buffer, and rents one only while a message is there. Limits hold while it reads, not after.
/// No receive is ever cancelled: that would cut the socket.
/// </summary>
internal sealed class SocketReader(WebSocket socket, SocketGatewayOptions options, TimeProvider clock, ISocketReaderOwner owner)
{
    private const int FirstBufferBytes = 1024;

    private long _messageSince;

    /// <summary>When the peer was last heard, as a timestamp.</summary>
    public long LastHeardAt { get; private set; } = clock.GetTimestamp();

    /// <summary>Counts as heard now. For whoever holds the reader back, because a held reader hears nothing.</summary>
    public void ExcuseSilence(long now) => LastHeardAt = now;

    /// <summary>Since when a message is on its way in, or 0.</summary>
    public long MessageSince => Volatile.Read(ref _messageSince);

    /// <summary>Reads until the peer closes or the connection breaks. Never throws.</summary>
    /// <returns>
    /// The code of the peer's close frame, <see cref="ReportedCloseCodes.NoCode"/> or <see cref="ReportedCloseCodes.Broken"/>;
    /// 1002 where the runtime closed by itself, which it also does with 1007.
    /// </returns>
    public async Task<int> RunAsync()
    {
        try
        {
            while (true)
            {
                // 1. Wait. A zero-byte receive also consumes a close frame or an empty message.
                var start = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                LastHeardAt = clock.GetTimestamp();

                // 2. Read the message, or throw it away. Control frames are allowed between fragments, so the close frame can come here too.
                if (start.MessageType == WebSocketMessageType.Close || !await ReadMessageAsync(start))
                {
                    return (int?)socket.CloseStatus ?? ReportedCloseCodes.NoCode;
                }
            }
        }
        catch (Exception fault) when (fault is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            var isRefusedByRuntime = fault is WebSocketException { WebSocketErrorCode: WebSocketError.Faulted };
            return isRefusedByRuntime ? CloseCodes.ProtocolError : ReportedCloseCodes.Broken;
        }
    }

    /// <summary>False if the peer closed in the middle of the message.</summary>
    private async ValueTask<bool> ReadMessageAsync(ValueWebSocketReceiveResult start)
    {
        if (start.MessageType == WebSocketMessageType.Binary && !owner.IsClosing)
        {
            owner.OnViolation(CloseCodes.UnsupportedData, "Only text frames are spoken here.");
        }

        if (start.EndOfMessage)
        {
            await DeliverAsync(ReadOnlyMemory<byte>.Empty);
            return true;
        }

        Volatile.Write(ref _messageSince, LastHeardAt);
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        ValueTask delivery;
        try
        {
            var length = 0;
            for (var fragments = 1; ; fragments++)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return false;
                }

                LastHeardAt = clock.GetTimestamp();
                length = Check(length + part.Count, fragments);
                if (part.EndOfMessage)
                {
                    break;
                }

                buffer = length == buffer.Length ? Grow(buffer) : buffer;
            }

            // The message is parsed before the first await, so the buffer goes back before the answer is there.
            Volatile.Write(ref _messageSince, 0);
            delivery = DeliverAsync(buffer.AsMemory(0, length));
        }
        finally
        {
            Volatile.Write(ref _messageSince, 0);
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await delivery;
        return true;
    }

    private ValueTask DeliverAsync(ReadOnlyMemory<byte> message) => owner.IsClosing ? default : owner.OnMessageAsync(message.Span);

    /// <summary>The new length; zero once the socket is closing, for then the rest is only passed over.</summary>
    private int Check(int length, int fragments)
    {
        if (owner.IsClosing)
        {
            return 0;
        }

        if (length > options.MaxMessageBytes)
        {
            owner.OnViolation(CloseCodes.MessageTooBig, "The message is too large.");
            return 0;
        }

        if (fragments > options.MaxFragments)
        {
            owner.OnViolation(CloseCodes.PolicyViolation, "The message has too many fragments.");
            return 0;
        }

        return length;
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
