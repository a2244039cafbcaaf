namespace OrleansSessions.SocketGateway.Access;

/// <summary>The <c>Authorization</c> header of a bearer token.</summary>
internal static class BearerToken
{
    private const string Prefix = "Bearer ";

    public static string Header(string token) => Prefix + token;

    /// <summary>Returns the token of a header, or null if it is not a bearer token.</summary>
    public static string? Of(string? header) =>
        header is not null && header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && header[Prefix.Length..].Trim() is { Length: > 0 } token ? token : null;
}
