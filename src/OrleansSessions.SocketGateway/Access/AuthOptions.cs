using OrleansSessions.Configuration;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Section <c>Auth</c>: who may call without an identity, and which claims of an identity count.</summary>
public sealed class AuthOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Auth";

    /// <summary>
    /// True to serve callers without an identity, who share one scope: whoever knows a session's id can read it and ask in it. Answering, removing and
    /// administration stay closed to them unless they are on this machine. Default false: without authentication, only
    /// programs on the same machine are served, and only without a proxy.
    /// </summary>
    public bool AllowAnonymous { get; set; }

    /// <summary>
    /// True to accept a token as <c>?access_token=</c> on sockets and event streams, for clients that can send neither headers nor a subprotocol. Default
    /// false, because addresses are stored by proxies and browsers. The server removes the token before anything is logged. Use short-lived tokens. Only the
    /// program <c>OrleansSessions.Server</c> reads this option; a host of your own never takes a token from an address by itself.
    /// </summary>
    public bool AllowTokenInQuery { get; set; }

    /// <summary>
    /// The claim that names the caller. It must never be given to another one later. Default empty: <c>sub</c>, otherwise the name identifier of ASP.NET Core.
    /// </summary>
    public string SubjectClaim { get; set; } = "";

    /// <summary>
    /// A claim whose value is the scope: all callers of an issuer with the same value share their sessions. A caller without the claim, or with several values
    /// of it, is refused. Default empty: each subject has its own scope.
    /// </summary>
    public string TenantClaim { get; set; } = "";

    /// <summary>
    /// API keys for back ends, by name: the SHA-256 of the key in hexadecimal, then the permissions <c>sessions:answer</c> and <c>sessions:admin</c>, if
    /// any, separated by spaces. A key is sent as a bearer token. Several keys can be valid at once, so that a new one can replace an old one; each has one
    /// name. Default none.
    /// </summary>
    public IDictionary<string, string> ApiKeys { get; set; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes() => [.. FindInvalidKeys(), .. FindRepeatedKeys()];

    private IEnumerable<string> FindInvalidKeys() => ApiKeys
        .Where(key => ApiKey.Parse(key.Key, key.Value) is null)
        .Select(key => $"{Section}:{nameof(ApiKeys)}:{key.Key} is not valid; it must be the SHA-256 of the key as 64 hexadecimal digits, then "
            + $"'{Permissions.Answer}' and '{Permissions.Admin}' as needed, separated by spaces. "
            + "The value is not repeated here, in case it is the key itself.");

    /// <summary>Otherwise it would be left open which of the names, and so which scope and which permissions, a caller with the key has.</summary>
    private IEnumerable<string> FindRepeatedKeys() => ApiKeys
        .Select(key => ApiKey.Parse(key.Key, key.Value)).OfType<ApiKey>().GroupBy(key => Convert.ToHexString(key.Hash)).Where(same => same.Count() > 1)
        .Select(same => string.Join(" and ", same.Select(key => $"{Section}:{nameof(ApiKeys)}:{key.Name}").Order(StringComparer.Ordinal))
            + " are the same key; give a key one name, because the name is its scope.");
}
