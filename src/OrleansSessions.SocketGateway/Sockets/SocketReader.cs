using System.Buffers;
using System.Net.WebSockets;
using OrleansSessions.Protocol;
using OrleansSessions.SocketGateway.Telemetry;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>Receives what a reader reads. One call is made at a time.</summary>
internal interface ISocketReaderOwner
{
    /// <summary>True once the socket is being closed. Data that still arrives is discarded.</summary>
    bool IsClosing { get; }

    /// <summary>Handles one complete text message. The span is not valid after the call.</summary>
    ValueTask OnMessageAsync(ReadOnlySpan<byte> utf8);

    /// <summary>A receive has returned, with this many bytes of a message.</summary>
    void OnReceived(int bytes);

    /// <summary>The peer exceeded a limit. The socket must be closed with this code.</summary>
    void OnViolation(int closeCode, string reason);
}

/// <summary>
/// Receives the messages of one socket. It waits without a buffer, and rents one only for a message. Limits are checked during a message, not after it.
/// No receive is ever cancelled, because that would abort the socket.
/// </summary>
internal sealed class SocketReader(WebSocket socket, SocketGatewayOptions options, TimeProvider clock, ISocketReaderOwner owner)
{
    private const int FirstBufferBytes = 1024;

    private long _messageSince;

    /// <summary>When something was last received from the peer, as a timestamp.</summary>
    public long LastHeardAt { get; private set; } = clock.GetTimestamp();

    /// <summary>Counts this time as the last time that something was received. Call it while the reader waits, because it receives nothing then.</summary>
    public void ExcuseSilence(long now) => LastHeardAt = now;

    /// <summary>The time at which the current message started to arrive, or 0.</summary>
    public long MessageSince => Volatile.Read(ref _messageSince);

    /// <summary>Reads until the peer closes or the connection breaks. Never throws.</summary>
    /// <returns>
    /// The code of the peer's close frame, <see cref="ReportedCloseCodes.NoCode"/> or <see cref="ReportedCloseCodes.Broken"/>;
    /// 1002 if the runtime closed the socket, which it does with 1002 or 1007.
    /// </returns>
    public async Task<int> RunAsync()
    {
        try
        {
            while (true)
            {
                // 1. Wait. A zero-byte receive also consumes a close frame or an empty message.
                var start = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
                OnReceived(0);

                // 2. Read the message, or discard it. Control frames are allowed between fragments, so the close frame can arrive here too.
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

    /// <summary>Returns false if the peer closed in the middle of the message.</summary>
    private async ValueTask<bool> ReadMessageAsync(ValueWebSocketReceiveResult start)
    {
        if (start.MessageType == WebSocketMessageType.Binary && !owner.IsClosing)
        {
            owner.OnViolation(CloseCodes.UnsupportedData, "Only text messages are supported.");
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

                OnReceived(part.Count);
                length = Check(length + part.Count, fragments);
                if (part.EndOfMessage)
                {
                    break;
                }

                buffer = length == buffer.Length ? Grow(buffer) : buffer;
            }

            // The message is parsed before the first await, so the buffer is returned before the request is completed.
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

    private void OnReceived(int bytes)
    {
        LastHeardAt = clock.GetTimestamp();
        owner.OnReceived(bytes);
    }

    private ValueTask DeliverAsync(ReadOnlyMemory<byte> message) => owner.IsClosing ? default : owner.OnMessageAsync(message.Span);

    /// <summary>Returns the new length, or zero once the socket is closing, because the rest is then discarded.</summary>
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
