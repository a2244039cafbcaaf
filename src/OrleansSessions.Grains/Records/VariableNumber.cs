namespace OrleansSessions.Grains.Records;

/// <summary>A number from 0 in 7 bits a byte, the lowest first. All bytes but the last have their highest bit set.</summary>
internal static class VariableNumber
{
    public static void Write(List<byte> bytes, int number)
    {
        for (; number >= 0x80; number >>= 7)
        {
            bytes.Add((byte)(number | 0x80));
        }

        bytes.Add((byte)number);
    }

    /// <summary>Reads a number, and moves <paramref name="bytes"/> after it.</summary>
    public static int Read(ref ReadOnlySpan<byte> bytes)
    {
        var (number, shift) = (0, 0);
        while (true)
        {
            var part = bytes[0];
            bytes = bytes[1..];
            number |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                return number;
            }

            shift += 7;
        }
    }
}
