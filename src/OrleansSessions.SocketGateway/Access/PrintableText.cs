using System.Buffers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>A header's text in a form that is safe to write into a log or a message: an origin or a host, or a note that it is neither.</summary>
internal static class PrintableText
{
    // A host name has at most 253 characters; a scheme and a port come on top.
    private const int MaxLength = 270;

    private static readonly SearchValues<char> Known = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:/[]");

    public static string Of(string? text) => text switch
    {
        null or "" => "(none)",
        { Length: > MaxLength } => "(longer than any host name)",
        _ => text.AsSpan().ContainsAnyExcept(Known) ? "(not a host name)" : text,
    };
}
