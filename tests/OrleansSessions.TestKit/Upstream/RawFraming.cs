using System.Globalization;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>Headers that say where the body of a response ends. Pass one of them to <see cref="RawExchange.SendHeadAsync"/>.</summary>
public static class RawFraming
{
    /// <summary>The body is a sequence of chunks. <see cref="RawExchange.EndAsync"/> sends the last one.</summary>
    public static (string Name, string Value) Chunked { get; } = ("Transfer-Encoding", "chunked");

    /// <summary>The body ends with the connection. <see cref="RawExchange.EndAsync"/> closes it.</summary>
    public static (string Name, string Value) UntilClose { get; } = ("Connection", "close");

    /// <summary>The body has this many bytes.</summary>
    public static (string Name, string Value) Length(long bytes) => ("Content-Length", bytes.ToString(CultureInfo.InvariantCulture));
}
