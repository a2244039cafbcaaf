using System.Text;

namespace OrleansSessions.Grains.Questions;

/// <summary>
/// Keeps deltas whole: a surrogate pair that arrives in two pieces leaves in one, and half a pair becomes U+FFFD
/// before anything is counted, as it would on the wire.
/// </summary>
internal struct ScalarGuard
{
    private const char Replacement = '\uFFFD';

    private char _held;

    /// <summary>The text that may leave now: well-formed, perhaps empty.</summary>
    public string Take(string piece)
    {
        if (_held == 0 && !piece.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return piece;
        }

        var joined = _held == 0 ? piece : _held + piece;
        _held = default;
        if (joined.Length > 0 && char.IsHighSurrogate(joined[^1]))
        {
            _held = joined[^1];
            joined = joined[..^1];
        }

        return Replace(joined);
    }

    /// <summary>What was held when no more text comes.</summary>
    public string Flush()
    {
        var rest = _held == 0 ? "" : Replacement.ToString();
        _held = default;
        return rest;
    }

    /// <summary>The longest start of a well-formed text that fits in so many UTF-8 bytes without splitting a scalar.</summary>
    public static string CutToBytes(string text, long maxBytes) => text[..LengthWithin(text, maxBytes)];

    /// <summary>The length of that start, in UTF-16 units.</summary>
    public static int LengthWithin(ReadOnlySpan<char> text, long maxBytes)
    {
        var length = 0;
        var bytes = 0L;
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return length;
    }

    private static string Replace(string text)
    {
        StringBuilder? clean = null;
        for (var i = 0; i < text.Length; i++)
        {
            var isPair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (isPair)
            {
                clean?.Append(text, i, 2);
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                clean ??= new StringBuilder(text, 0, i, text.Length);
                clean.Append(Replacement);
            }
            else
            {
                clean?.Append(text[i]);
            }
        }

        return clean?.ToString() ?? text;
    }
}
