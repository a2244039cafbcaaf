using System.Globalization;
using System.Text;

namespace OrleansSessions.Fuzz.Requests;

/// <summary>One response of HTTP/1.1.</summary>
/// <param name="IsComplete">False if its body has not arrived as a whole, or ends only with the connection.</param>
/// <param name="Length">The number of bytes on the wire.</param>
internal sealed record Response(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool IsComplete, int Length)
{
    public string? Header(string name) => Headers.GetValueOrDefault(name);
}

/// <summary>Reads responses as strictly as their form allows.</summary>
internal static class ResponseReader
{
    /// <summary>Reads one response. Returns null if its head has not arrived as a whole.</summary>
    /// <param name="seenHeader">The header that says which method the response is for: the one to HEAD has no body.</param>
    /// <exception cref="FormatException">The bytes are no response.</exception>
    public static Response? Read(ReadOnlySpan<byte> bytes, string seenHeader)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var lines = Encoding.Latin1.GetString(bytes[..end]).Split("\r\n");
        var status = lines[0].Split(' ', 3) is ["HTTP/1.1", { Length: 3 } code, ..]
            ? int.Parse(code, NumberStyles.None, CultureInfo.InvariantCulture)
            : throw new FormatException($"'{lines[0]}' is no status line.");
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var name = colon > 0 ? line[..colon] : throw new FormatException($"'{line}' is no header.");
            headers[name] = headers.TryGetValue(name, out var before) ? $"{before}, {line[(colon + 1)..].Trim()}" : line[(colon + 1)..].Trim();
        }

        var hasNoBody = status is < 200 or 204 or 304 || headers.GetValueOrDefault(seenHeader)?.StartsWith("HEAD%20", StringComparison.Ordinal) == true;
        var rest = bytes[(end + 4)..];
        var (body, isComplete, length) = hasNoBody ? ([], true, 0)
            : headers.TryGetValue("Content-Length", out var announced) ? Sized(rest, int.Parse(announced, NumberStyles.None, CultureInfo.InvariantCulture))
            : headers.GetValueOrDefault("Transfer-Encoding") == "chunked" ? Chunked(rest)
            : (rest.ToArray(), false, rest.Length);
        return new(status, headers, body, isComplete, end + 4 + length);
    }

    private static (byte[] Body, bool IsComplete, int Length) Sized(ReadOnlySpan<byte> rest, int length) =>
        rest.Length < length ? (rest.ToArray(), false, rest.Length) : (rest[..length].ToArray(), true, length);

    private static (byte[] Body, bool IsComplete, int Length) Chunked(ReadOnlySpan<byte> rest)
    {
        var body = new List<byte>();
        for (var at = 0; ;)
        {
            var line = rest[at..].IndexOf("\r\n"u8);
            if (line < 0)
            {
                return ([.. body], false, rest.Length);
            }

            var size = int.Parse(Encoding.ASCII.GetString(rest.Slice(at, line)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            at += line + 2;
            if (rest.Length - at < size + 2)
            {
                return ([.. body], false, rest.Length);
            }

            body.AddRange(rest.Slice(at, size));
            at += size + 2;
            if (size == 0)
            {
                return ([.. body], true, at);
            }
        }
    }
}
