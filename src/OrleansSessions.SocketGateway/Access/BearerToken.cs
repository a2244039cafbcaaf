using System.Buffers.Text;
using System.Text;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// A bearer token where requests carry it: in the header <c>Authorization</c>, or as a subprotocol of a socket, <c>bearer.</c> and the token in base64url. It
/// is public for hosts that take tokens from elsewhere.
/// </summary>
public static class BearerToken
{
    private const string HeaderPrefix = "Bearer ";
    private const string SubprotocolPrefix = "bearer.";

    // No scheme accepts it as a token.
    private const string Unusable = "-";

    /// <summary>
    /// Returns the <c>Authorization</c> header of a token. A token is printable ASCII. For anything else the header holds a token that no scheme accepts, so
    /// that its sender is refused, and never served as if it had sent none.
    /// </summary>
    public static string Header(string? token) =>
        HeaderPrefix + (token is { Length: > 0 } && token.All(character => character is > ' ' and < '\x7f') ? token : Unusable);

    /// <summary>True if a subprotocol that a client offers is a token.</summary>
    public static bool IsSubprotocol(string protocol) => protocol.StartsWith(SubprotocolPrefix, StringComparison.Ordinal);

    /// <summary>Returns the <c>Authorization</c> header of a token that is a subprotocol.</summary>
    internal static string HeaderOfSubprotocol(string protocol)
    {
        var encoded = protocol.AsSpan(SubprotocolPrefix.Length);
        return Header(Base64Url.IsValid(encoded) ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded)) : null);
    }

    /// <summary>Returns the token of a header, or null if it is not a bearer token.</summary>
    internal static string? Of(string? header)
    {
        var isToken = header is not null && header.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase);
        return isToken && header![HeaderPrefix.Length..].Trim() is { Length: > 0 } token ? token : null;
    }
}
