using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>Reads the requests of one connection, one after the other.</summary>
internal sealed class RawRequestReader(PipeReader input)
{
    /// <summary>Returns the next request, or null if the connection ended before it was complete.</summary>
    public async Task<RawRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            // 1. The request line and the headers. A repeated header becomes one with commas.
            var line = await ReadLineAsync(cancellationToken);
            var parts = line.Split(' ');
            if (parts is not [var method, var target, "HTTP/1.1"])
            {
                throw new InvalidDataException($"'{line}' is not the first line of an HTTP/1.1 request.");
            }

            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while ((line = await ReadLineAsync(cancellationToken)).Length > 0)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                var (name, value) = colon > 0 ? (line[..colon], line[(colon + 1)..].Trim()) : throw new InvalidDataException($"'{line}' is not a header.");
                headers[name] = headers.TryGetValue(name, out var earlier) ? $"{earlier}, {value}" : value;
            }

            // 2. The body.
            var body = headers.TryGetValue("Transfer-Encoding", out var encoding) && encoding.EndsWith("chunked", StringComparison.OrdinalIgnoreCase)
                ? await ReadChunksAsync(cancellationToken)
                : await ReadBytesAsync(int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture), cancellationToken);
            return new RawRequest(method, target, headers, body);
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    private async Task<byte[]> ReadChunksAsync(CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var size = (await ReadLineAsync(cancellationToken)).Split(';')[0];
            var chunk = await ReadBytesAsync(int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture), cancellationToken);
            body.Write(chunk);
            // After the data of a chunk comes an empty line; after the last chunk come trailers, then an empty line.
            while ((await ReadLineAsync(cancellationToken)).Length > 0)
            {
            }

            if (chunk.Length == 0)
            {
                return body.ToArray();
            }
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.Latin1.GetString(read.Buffer.Slice(0, end)).TrimEnd('\r');
                input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            ThrowAtEnd(read);
        }
    }

    private async Task<byte[]> ReadBytesAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        var filled = 0;
        while (filled < count)
        {
            // Taken as it comes: the pipe does not hold more than its limit.
            var read = await input.ReadAsync(cancellationToken);
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, count - filled));
            part.CopyTo(bytes.AsSpan(filled));
            filled += (int)part.Length;
            input.AdvanceTo(part.End);
            if (filled < count)
            {
                ThrowAtEnd(read);
            }
        }

        return bytes;
    }

    private static void ThrowAtEnd(ReadResult read)
    {
        if (read.IsCompleted)
        {
            throw new EndOfStreamException();
        }
    }
}
