using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace OrleansSessions.TestKit.Processes;

/// <summary>The TCP addresses on which a process listens, as the kernel of Linux lists them.</summary>
public static class ListeningSockets
{
    private const string Listening = "0A";

    public static IReadOnlyCollection<IPEndPoint> Of(int processId)
    {
        var own = Directory.EnumerateFileSystemEntries($"/proc/{processId}/fd").Select(SocketOf).OfType<string>().ToHashSet();
        return [.. Rows($"/proc/{processId}/net/tcp").Concat(Rows($"/proc/{processId}/net/tcp6"))
            .Where(row => row[3] == Listening && own.Contains(row[9])).Select(row => Address(row[1]))];
    }

    /// <summary>The number of the socket behind a file descriptor, or null if it is something else or has been closed meanwhile.</summary>
    private static string? SocketOf(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget is { } target && target.StartsWith("socket:[", StringComparison.Ordinal) ? target[8..^1] : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static IEnumerable<string[]> Rows(string table) => File.Exists(table)
        ? File.ReadLines(table).Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        : [];

    /// <summary>The kernel prints an address as 32-bit numbers of the machine's own byte order.</summary>
    private static IPEndPoint Address(string text)
    {
        var (address, port) = (text[..text.IndexOf(':')], text[(text.IndexOf(':') + 1)..]);
        var bytes = new byte[address.Length / 2];
        for (var i = 0; i < bytes.Length; i += 4)
        {
            var word = uint.Parse(address.AsSpan(i * 2, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i), word);
        }

        return new(new IPAddress(bytes), int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }
}
