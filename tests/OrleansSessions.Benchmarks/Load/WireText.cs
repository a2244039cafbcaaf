using System.Buffers.Text;

namespace OrleansSessions.Benchmarks.Load;

/// <summary>Finds fields in frames whose texts contain neither quotes nor escapes, to avoid a JSON reader on the hot path.</summary>
internal static class WireText
{
    /// <param name="opening">The name, the colon and the opening quote of the value.</param>
    public static bool TryRead(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> opening, out ReadOnlySpan<byte> value)
    {
        value = default;
        var start = frame.IndexOf(opening);
        if (start < 0)
        {
            return false;
        }

        var rest = frame[(start + opening.Length)..];
        var end = rest.IndexOf((byte)'"');
        if (end < 0)
        {
            return false;
        }

        value = rest[..end];
        return true;
    }

    /// <param name="opening">The name and the colon.</param>
    public static int? TryReadNumber(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> opening)
    {
        var start = frame.IndexOf(opening);
        return start >= 0 && Utf8Parser.TryParse(frame[(start + opening.Length)..], out int number, out _) ? number : null;
    }
}
