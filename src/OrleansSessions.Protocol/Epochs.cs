using System.Buffers;
using System.Globalization;

namespace OrleansSessions.Protocol;

/// <summary>Converts epochs between numbers and the strings that clients receive. Clients compare these strings only for equality.</summary>
public static class Epochs
{
    /// <summary>The value of a text that is not an epoch. No session has it.</summary>
    public const long Unknown = 0;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Returns an <c>e</c> followed by the number in lower-case hexadecimal.</summary>
    public static string ToWire(long epoch) => string.Create(CultureInfo.InvariantCulture, $"e{epoch:x}");

    /// <summary>Returns the number of an epoch, or <see cref="Unknown"/>. Only the exact form of <see cref="ToWire"/> is accepted.</summary>
    public static long FromWire(ReadOnlySpan<char> text)
    {
        if (text.Length is < 2 or > 17 || text[0] != 'e' || text[1] == '0' || text[1..].ContainsAnyExcept(HexDigits))
        {
            return Unknown;
        }

        return long.TryParse(text[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch) ? epoch : Unknown;
    }
}
