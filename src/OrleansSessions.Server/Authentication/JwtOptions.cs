using OrleansSessions.Configuration;

namespace OrleansSessions.Server.Authentication;

/// <summary>Section <c>Auth:Jwt</c>: the JSON Web Tokens that this server accepts, from an OpenID Connect authority or signed with shared keys.</summary>
public sealed class JwtOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Auth:Jwt";

    /// <summary>
    /// The address of an OpenID Connect authority, for example <c>https://login.example.com</c>. Its issuer and its keys are read from its discovery
    /// document. Accepts RS, PS and ES signatures only. Default none.
    /// </summary>
    public string Authority { get; set; } = "";

    /// <summary>
    /// The audience that a token must name in <c>aud</c>; several are separated by commas, and one of them is enough. Required with <see cref="Authority"/>
    /// and with <see cref="Keys"/>; no default, because an authority also issues tokens for other applications.
    /// </summary>
    public string Audience { get; set; } = "";

    /// <summary>The issuer that a token must name in <c>iss</c>. Required with <see cref="Keys"/>; an authority names its own. Default none.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>
    /// Shared keys for HS256 by their id, the <c>kid</c> of a token: text, or <c>base64:</c> and the key in Base64, of at least 32 bytes each. Several keys
    /// can be valid at once, so that a new one can replace an old one; a token without a <c>kid</c> can use any of them. Default none. Never logged.
    /// </summary>
    public IDictionary<string, string> Keys { get; set; } = new Dictionary<string, string>();

    /// <summary>How far the clock of the issuer may differ from the clock of this server, from 0 to 10 min. Default 30 s.</summary>
    [Within("00:00:00", "00:10:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the authority must use https. Default true, except for an authority on loopback.</summary>
    public bool? RequireHttpsMetadata { get; set; }

    internal bool IsConfigured => Authority.Length > 0 || Keys.Count > 0;

    internal string[] Audiences => Audience.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    internal bool NeedsHttps => RequireHttpsMetadata ?? !(Uri.TryCreate(Authority, UriKind.Absolute, out var uri) && uri.IsLoopback);

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes() => [.. FindAuthorityMistakes(), .. FindClaimMistakes(), .. FindKeyMistakes()];

    private IEnumerable<string> FindAuthorityMistakes()
    {
        if (Authority.Length == 0)
        {
            yield break;
        }

        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            yield return $"{Section}:{nameof(Authority)} is '{Authority}'; it must be an address, for example https://login.example.com.";
        }
        else if (uri.Scheme == "http" && NeedsHttps)
        {
            yield return $"{Section}:{nameof(Authority)} is '{Authority}'; it must use https, because whoever can change its answers can issue tokens. "
                + $"{Section}:{nameof(RequireHttpsMetadata)}=false allows http.";
        }

        if (Keys.Count > 0)
        {
            yield return $"{Section}:{nameof(Authority)} and {Section}:{nameof(Keys)} are both set; choose one of them.";
        }
        else if (Issuer.Length > 0)
        {
            yield return $"{Section}:{nameof(Issuer)} is '{Issuer}', but {Section}:{nameof(Authority)} is set, which names its own issuer; remove one of them.";
        }
    }

    private IEnumerable<string> FindClaimMistakes()
    {
        if (!IsConfigured)
        {
            foreach (var (name, value) in new[] { (nameof(Audience), Audience), (nameof(Issuer), Issuer) })
            {
                if (value.Length > 0)
                {
                    yield return $"{Section}:{name} is '{value}', but neither {Section}:{nameof(Authority)} nor {Section}:{nameof(Keys)} is set, so no token "
                        + "would be checked.";
                }
            }

            yield break;
        }

        if (Audiences.Length == 0)
        {
            yield return $"{Section}:{nameof(Audience)} is '{Audience}'; it must be the name of this server in the claim 'aud' of the tokens.";
        }

        if (Issuer.Length == 0 && Authority.Length == 0)
        {
            yield return $"{Section}:{nameof(Issuer)} is ''; it must be the claim 'iss' of the tokens that are signed with {Section}:{nameof(Keys)}.";
        }
    }

    private IEnumerable<string> FindKeyMistakes() => Keys
        .Where(key => SigningSecret.Decode(key.Value) is not { Length: >= SigningSecret.MinBytes })
        .Select(key => $"{Section}:{nameof(Keys)}:{key.Key} is not valid; it must be text of at least {SigningSecret.MinBytes} bytes, or "
            + $"'{SigningSecret.Base64Prefix}' and at least {SigningSecret.MinBytes} bytes in Base64. The value is not repeated here, because it is a secret.");
}
