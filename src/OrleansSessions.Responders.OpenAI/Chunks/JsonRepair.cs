using System.Buffers;
using System.Globalization;
using System.Text;

namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>
/// Repairs what servers get wrong that write JSON by hand or with Python: control characters in strings, and numbers that JSON does not have.
/// </summary>
internal static class JsonRepair
{
    /// <summary>More than any chunk has. A repair needs several times the memory.</summary>
    private const int MaxBytes = 1024 * 1024;

    private static readonly byte[][] NonJsonNumbers = ["NaN"u8.ToArray(), "Infinity"u8.ToArray(), "-Infinity"u8.ToArray()];

    /// <summary>The repaired JSON, or null if there is nothing to repair.</summary>
    public static byte[]? Repair(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            return null;
        }

        var repaired = new ArrayBufferWriter<byte>(json.Length + 64);
        var (isInString, isEscaped, isChanged) = (false, false, false);
        for (var i = 0; i < json.Length; i++)
        {
            var value = json[i];
            if (isInString && value < ' ')
            {
                repaired.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\\u{value:x4}")));
                (isEscaped, isChanged) = (false, true);
                continue;
            }

            if (!isInString && LengthOfNonJsonNumber(json[i..]) is > 0 and var length)
            {
                repaired.Write("null"u8);
                (i, isChanged) = (i + length - 1, true);
                continue;
            }

            repaired.Write([value]);
            isInString = value == '"' && !isEscaped ? !isInString : isInString;
            isEscaped = isInString && !isEscaped && value == '\\';
        }

        return isChanged ? repaired.WrittenSpan.ToArray() : null;
    }

    private static int LengthOfNonJsonNumber(ReadOnlySpan<byte> json)
    {
        foreach (var word in NonJsonNumbers)
        {
            if (json.StartsWith(word))
            {
                return word.Length;
            }
        }

        return 0;
    }
}
