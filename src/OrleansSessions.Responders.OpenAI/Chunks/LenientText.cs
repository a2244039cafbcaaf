using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>
/// Reads the strings of one answer, in order. A model's tokens can end inside a character, so a chunk can end with a part of one: half of an escaped surrogate
/// pair, or the first bytes of a UTF-8 sequence. The platform's own reader refuses such a string. This one returns the half as it is and keeps the bytes for
/// the next string.
/// </summary>
internal sealed class LenientText
{
    private readonly Decoder _bytes = Encoding.UTF8.GetDecoder();

    /// <param name="value">A string of a parsed document, so its escape sequences are well-formed.</param>
    public string Read(JsonElement value)
    {
        var raw = JsonMarshal.GetRawUtf8Value(value)[1..^1];

        // No byte becomes more than one character, and bytes kept from the last string become one more.
        var chars = ArrayPool<char>.Shared.Rent(raw.Length + 2);
        var length = 0;
        for (var escape = raw.IndexOf((byte)'\\'); escape >= 0; escape = raw.IndexOf((byte)'\\'))
        {
            length += _bytes.GetChars(raw[..escape], chars.AsSpan(length), flush: true);
            chars[length++] = Unescape(raw[escape..], out var size);
            raw = raw[(escape + size)..];
        }

        length += _bytes.GetChars(raw, chars.AsSpan(length), flush: false);
        var text = new string(chars, 0, length);
        ArrayPool<char>.Shared.Return(chars);
        return text;
    }

    /// <summary>What is left when no more strings come: U+FFFD if the last one ended inside a character, otherwise nothing.</summary>
    public string End()
    {
        Span<char> rest = stackalloc char[2];
        return new string(rest[.._bytes.GetChars([], rest, flush: true)]);
    }

    private static char Unescape(ReadOnlySpan<byte> escape, out int size)
    {
        if (escape[1] == (byte)'u')
        {
            size = 6;
            return (char)ushort.Parse(escape[2..6], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        size = 2;
        return (char)escape[1] switch
        {
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            var other => other,
        };
    }
}
