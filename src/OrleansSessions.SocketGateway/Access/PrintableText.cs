using System.Buffers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Makes the text of a header safe for a log or a message. It returns the origin or host, or a note that the text is neither.</summary>
internal static class PrintableText
{
    // A host name has at most 253 characters. The scheme and the port are added to that.
    private const int MaxLength = 270;

    private static readonly SearchValues<char> Known = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:/[]");

    public static string Of(string? text) => text switch
    {
        null or "" => "(none)",
        { Length: > MaxLength } => "(longer than any host name)",
        _ => text.AsSpan().ContainsAnyExcept(Known) ? "(not a host name)" : text,
    };
}
