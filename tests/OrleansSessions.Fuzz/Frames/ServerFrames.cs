using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Frames;

/// <summary>What must hold for everything that the server sends on a socket.</summary>
internal static class ServerFrames
{
    private const int Text = 1;
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;
    private const int MaxControlPayload = 125;
    private const int MaxFrameBytes = 1024 * 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly HashSet<int> ProtocolCodes =
    [
        CloseCodes.Normal, CloseCodes.GoingAway, CloseCodes.ProtocolError, CloseCodes.UnsupportedData, CloseCodes.InvalidPayload,
        CloseCodes.PolicyViolation, CloseCodes.MessageTooBig, CloseCodes.InternalError, CloseCodes.ServiceRestart, CloseCodes.Draining,
        CloseCodes.SlowConsumer, CloseCodes.MissedHeartbeat, CloseCodes.RateLimited, CloseCodes.ConnectionLimit, CloseCodes.BadProtocol,
        CloseCodes.SessionRemoved, CloseCodes.UnsupportedProtocol,
    ];

    /// <param name="bytes">All bytes after the head of the response. The last frame may be cut off: a connection that is broken is reset.</param>
    /// <param name="clientCodes">The codes of the client's close frames, which the server repeats.</param>
    public static string? Find(ReadOnlySpan<byte> bytes, IReadOnlySet<int> clientCodes)
    {
        var (isClosed, isClosedByRuntime) = (false, false);
        while (bytes.Length >= 2)
        {
            var (first, second) = (bytes[0], bytes[1]);
            var head = (second & 0x7F) switch { 127 => 10, 126 => 4, _ => 2 };
            if (bytes.Length < head)
            {
                return null;
            }

            var length = head switch
            {
                10 => BinaryPrimitives.ReadInt64BigEndian(bytes[2..]),
                4 => BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]),
                _ => second & 0x7F,
            };
            if ((first & 0xF0) != 0x80 || (second & 0x80) != 0 || length is < 0 or > MaxFrameBytes)
            {
                return $"the server sent a frame that begins with {first:X2} {second:X2} and has {length} bytes";
            }

            if (bytes.Length - head < length)
            {
                return null;
            }

            var payload = bytes.Slice(head, (int)length);
            var opcode = first & 0xF;
            var fault = opcode switch
            {
                Pong => length <= MaxControlPayload ? null : "the server sent a pong that is too long",

                // The runtime answers a broken frame by itself, in the receive, while a send of the server can have begun.
                Text when isClosedByRuntime => FindInText(payload),

                // WebSocket allows the answer to a ping after a close frame, but nothing else.
                _ when isClosed => $"the server sent opcode {opcode} after its close frame",
                Text => FindInText(payload),
                Close => FindInClose(payload, clientCodes),
                Ping => length <= MaxControlPayload ? null : "the server sent a ping that is too long",
                _ => $"the server sent opcode {opcode}",
            };
            if (fault is not null)
            {
                return fault;
            }

            isClosed |= opcode == Close;
            isClosedByRuntime |= opcode == Close && payload.Length >= 2
                && BinaryPrimitives.ReadUInt16BigEndian(payload) is CloseCodes.ProtocolError or CloseCodes.InvalidPayload;
            bytes = bytes[(head + (int)length)..];
        }

        return null;
    }

    private static string? FindInText(ReadOnlySpan<byte> payload)
    {
        using var frame = JsonDocument.Parse(StrictUtf8.GetString(payload));
        var json = frame.RootElement;
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
        {
            return $"the server sent a frame without a type: {json}";
        }

        return type.GetString() != "error" || !json.TryGetProperty("code", out var code) || IsExpected(code.GetString())
            ? null
            : $"the server sent an error that the protocol does not have, or failed: {json}";
    }

    /// <summary>A basic socket gets the reason of an ended question as the code of its error.</summary>
    private static bool IsExpected(string? code) => code is not null && (WireErrors.Find(code) is { } error
        ? error != WireErrors.Internal
        : code is DoneReasons.Replaced or DoneReasons.ByClient or DoneReasons.SessionRemoved);

    private static string? FindInClose(ReadOnlySpan<byte> payload, IReadOnlySet<int> clientCodes)
    {
        if (payload.Length < 2)
        {
            return payload.Length == 0 ? null : "the server sent a close frame with half a code";
        }

        var code = BinaryPrimitives.ReadUInt16BigEndian(payload);
        _ = StrictUtf8.GetString(payload[2..]);
        return clientCodes.Contains(code) ? null
            : code == CloseCodes.InternalError ? "the server failed, and closed with 1011"
            : ProtocolCodes.Contains(code) ? null
            : $"the server closed with {code}, which the protocol does not have";
    }
}
