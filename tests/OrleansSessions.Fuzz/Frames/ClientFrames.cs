using System.Buffers.Binary;
using System.Text;
using OrleansSessions.Fuzz.Inputs;

namespace OrleansSessions.Fuzz.Frames;

/// <summary>Makes the frames of a client, most of them valid, and reads them back.</summary>
internal static class ClientFrames
{
    private const int MaxControlPayload = 125;
    private static readonly int[] Opcodes = [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 8, 8, 9, 9, 10, 3, 11, 15];

    private static readonly int[] CloseCodes =
    [
        0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1009, 1011, 1012, 1015, 2999, 3000, 4000, 4104, 4999, 5000, 65535,
    ];

    /// <summary>One to eight frames; a quarter of the sequences is damaged or cut off.</summary>
    public static byte[] Create(Random random)
    {
        var bytes = new List<byte>();
        for (var frames = random.Next(1, 9); frames > 0; frames--)
        {
            Append(bytes, random);
        }

        return random.Next(12) switch
        {
            0 => [.. bytes.Take(random.Next(bytes.Count + 1))],
            <= 2 => random.Damage([.. bytes]),
            _ => [.. bytes],
        };
    }

    /// <summary>The codes of the close frames, as far as the bytes are frames.</summary>
    public static IReadOnlySet<int> CloseCodesIn(ReadOnlySpan<byte> bytes)
    {
        var codes = new HashSet<int>();
        while (bytes.Length >= 6)
        {
            var (opcode, isMasked, length, head) = (bytes[0] & 0xF, (bytes[1] & 0x80) != 0, (long)(bytes[1] & 0x7F), 2);
            if (length == 126)
            {
                (length, head) = (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 4);
            }
            else if (length == 127)
            {
                (length, head) = bytes.Length < 10 ? (-1, 10) : (BinaryPrimitives.ReadInt64BigEndian(bytes[2..]), 10);
            }

            if (!isMasked || length < 0 || bytes.Length - head - 4 < length)
            {
                break;
            }

            var mask = bytes.Slice(head, 4);
            var payload = bytes.Slice(head + 4, (int)length);
            if (opcode == 8 && payload.Length >= 2)
            {
                codes.Add(((payload[0] ^ mask[0]) << 8) | (payload[1] ^ mask[1]));
            }

            bytes = bytes[(head + 4 + (int)length)..];
        }

        return codes;
    }

    private static void Append(List<byte> bytes, Random random)
    {
        var opcode = random.Pick(Opcodes);
        var payload = opcode switch
        {
            8 => ClosePayload(random),
            9 or 10 => random.Bytes(random.Chance(0.1) ? MaxControlPayload + 10 : 20),
            _ => random.Chance(0.02) ? Encoding.ASCII.GetBytes(new string('x', 70_000)) : random.Message(),
        };
        var isFinal = random.Chance(0.85);
        bytes.Add((byte)((isFinal ? 0x80 : 0) | (random.Chance(0.04) ? random.Next(8) << 4 : 0) | opcode));
        var maskBit = random.Chance(0.97) ? 0x80 : 0;
        AppendLength(bytes, random, maskBit, payload.Length);
        var mask = random.Chance(0.5) ? [0, 0, 0, 0] : random.Bytes(4) is { Length: 4 } four ? four : [1, 2, 3, 4];
        if (maskBit != 0 || random.Chance(0.5))
        {
            bytes.AddRange(mask);
        }

        bytes.AddRange(payload.Select((value, index) => (byte)(value ^ mask[index % 4])));
    }

    private static void AppendLength(List<byte> bytes, Random random, int maskBit, int length)
    {
        var announced = random.Chance(0.04) ? random.Pick<long>([0, 1, length + 1, 126, 65_535, 65_536, int.MaxValue, 1L << 40, long.MaxValue, -1]) : length;
        var form = announced is > 65_535 or < 0 || random.Chance(0.03) ? 127 : announced > MaxControlPayload || random.Chance(0.03) ? 126 : 0;
        bytes.Add((byte)(maskBit | (form == 0 ? (int)announced : form)));
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, announced);
        bytes.AddRange(number[form switch { 127 => .., 126 => 6.., _ => 8.. }]);
    }

    private static byte[] ClosePayload(Random random)
    {
        var code = random.Pick(CloseCodes);
        return random.Next(6) switch
        {
            0 => [],
            1 => [(byte)(code >> 8)],
            2 => [(byte)(code >> 8), (byte)code, .. random.Bytes(30)],
            _ => [(byte)(code >> 8), (byte)code, .. "bye"u8],
        };
    }
}
