using System.Globalization;
using System.Text;

namespace OrleansSessions.Tests.Sessions.Model;

/// <summary>What answers say: for each key a long text of its own, with scalars of one to four bytes, of which any piece can be made again.</summary>
internal static class Script
{
    private const int Length = 1 << 20;

    private static readonly byte[] Source = Create();

    /// <summary>A piece of the text of a key: whole scalars, at least one.</summary>
    /// <param name="offset">Where it begins, in UTF-8 bytes: the end of an earlier piece.</param>
    /// <param name="bytes">About how long it is.</param>
    public static string Piece(string key, long offset, int bytes)
    {
        var start = Start(key) + (int)offset;
        var end = start + bytes;
        while (!IsStart(end) || end == start)
        {
            end++;
        }

        return Encoding.UTF8.GetString(Source, start, end - start);
    }

    /// <summary>True if a text is a beginning of the text of a key.</summary>
    public static bool IsBeginning(string key, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return bytes.AsSpan().SequenceEqual(Source.AsSpan(Start(key), bytes.Length));
    }

    private static bool IsStart(int index) => (Source[index] & 0xC0) != 0x80;

    private static int Start(string key)
    {
        var hash = 17u;
        foreach (var c in key)
        {
            hash = (hash * 31) + c;
        }

        var start = (int)(hash * 2654435761u % (Length / 2));
        while (!IsStart(start))
        {
            start++;
        }

        return start;
    }

    private static byte[] Create()
    {
        var text = new StringBuilder();
        for (var word = 0; text.Length < Length; word++)
        {
            text.Append(word.ToString("x", CultureInfo.InvariantCulture)).Append((word % 5) switch { 0 => "é", 1 => "€", 2 => "😀", _ => " " });
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
