using System.Text;

namespace OrleansSessions.Client.ChatClient.Answers;

/// <summary>
/// The beginning of an answer, without its text: its length and its hash (FNV-1a, 64 bits). The hash can be continued with more text, so a token needs nothing
/// else to tell later whether another text begins in the same way.
/// </summary>
/// <param name="Bytes">The length in UTF-8 bytes.</param>
/// <param name="Hash">The hash of these bytes.</param>
internal readonly record struct TextPrefix(long Bytes, ulong Hash)
{
    private const ulong Offset = 14695981039346656037;
    private const ulong Prime = 1099511628211;

    public static TextPrefix Empty => new(0, Offset);

    public TextPrefix Append(ReadOnlySpan<char> text)
    {
        var next = this;
        foreach (var rune in text.EnumerateRunes())
        {
            next = next.Append(rune);
        }

        return next;
    }

    public TextPrefix Append(Rune rune)
    {
        Span<byte> bytes = stackalloc byte[4];
        var length = rune.EncodeToUtf8(bytes);
        var hash = Hash;
        foreach (var value in bytes[..length])
        {
            hash = (hash ^ value) * Prime;
        }

        return new(Bytes + length, hash);
    }
}
