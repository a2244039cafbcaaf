using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Authenticates a caller by an API key in the <c>Authorization</c> header. Another token is left to other schemes.</summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>Vouches for the names of keys, so that no subject of a token can be taken for one.</summary>
    public const string Issuer = "urn:orleans-sessions:api-keys";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (BearerToken.Of(Request.Headers.Authorization) is not { } token)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (keys.Find(token) is not { } key)
        {
            return Task.FromResult(AuthenticateResult.Fail("The token is no API key of this server."));
        }

        var claims = key.Permissions.Select(permission => new Claim("scope", permission, ClaimValueTypes.String, Issuer))
            .Prepend(new Claim(ClaimTypes.NameIdentifier, key.Name, ClaimValueTypes.String, Issuer));
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name)));
    }
}

/// <summary>The API keys of this server.</summary>
internal sealed class ApiKeys(IOptions<AuthOptions> options)
{
    private readonly ApiKey[] _keys = [.. options.Value.ApiKeys.Select(key => ApiKey.Parse(key.Key, key.Value)!)];

    /// <summary>True if an <c>Authorization</c> header contains a key of this server.</summary>
    public bool IsKey(string? authorization) => BearerToken.Of(authorization) is { } token && Find(token) is not null;

    /// <summary>Returns the key with this text, or null. The time depends neither on which key it is nor on how much of it is right.</summary>
    public ApiKey? Find(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        ApiKey? found = null;
        foreach (var key in _keys)
        {
            found = CryptographicOperations.FixedTimeEquals(hash, key.Hash) ? key : found;
        }

        return found;
    }
}
