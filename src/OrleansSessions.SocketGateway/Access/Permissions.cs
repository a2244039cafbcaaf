using System.Security.Claims;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>The permissions that a token or an API key can have in addition to what every caller may do in its own scope.</summary>
internal static class Permissions
{
    /// <summary>Answer questions from outside, in the own scope and in those named with <c>?scope=</c>, which can also be read.</summary>
    public const string Answer = "sessions:answer";

    /// <summary>Read, ask, cancel, remove and erase in every scope, and read metrics.</summary>
    public const string Admin = "sessions:admin";

    // The name in OAuth, the one that some issuers use instead, and what ASP.NET Core maps that one to.
    private static readonly string[] ClaimTypes = ["scope", "scp", "http://schemas.microsoft.com/identity/claims/scope"];

    private static readonly string[] Known = [Answer, Admin];

    public static bool IsKnown(string permission) => Known.Contains(permission, StringComparer.Ordinal);

    /// <summary>Returns the known permissions of an identity. A claim can hold several, separated by spaces.</summary>
    public static string[] Of(ClaimsIdentity identity) =>
    [
        .. identity.Claims.Where(claim => ClaimTypes.Contains(claim.Type, StringComparer.Ordinal)).SelectMany(claim => claim.Value.Split(' ')).Where(IsKnown)
            .Distinct(StringComparer.Ordinal),
    ];
}
