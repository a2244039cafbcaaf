using System.Buffers;
using System.Globalization;

namespace OrleansSessions.Protocol;

/// <summary>The wire's form of an epoch: opaque to clients, who compare it for equality only.</summary>
public static class Epochs
{
    /// <summary>What no session ever has: the value of every text that is not an epoch.</summary>
    public const long Unknown = 0;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>An <c>e</c> and the number in lower-case hexadecimal.</summary>
    public static string ToWire(long epoch) => string.Create(CultureInfo.InvariantCulture, $"e{epoch:x}");

    /// <summary>The number behind a text, or <see cref="Unknown"/>. Only the exact form of <see cref="ToWire"/> is one.</summary>
    public static long FromWire(ReadOnlySpan<char> text)
    {
        if (text.Length is < 2 or > 17 || text[0] != 'e' || text[1..].ContainsAnyExcept(HexDigits))
        {
            return Unknown;
        }

        return long.TryParse(text[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch) ? epoch : Unknown;
    }
}
