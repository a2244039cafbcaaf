using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.TestKit.Tokens;

/// <summary>A small OpenID Connect authority on loopback: a discovery document, and the public half of one RSA key.</summary>
public sealed class TestAuthority : IAsyncDisposable
{
    private const string KeyId = "rsa-1";
    private readonly RSA _key = RSA.Create(2048);
    private readonly WebApplication _app;

    private TestAuthority(WebApplication app) => _app = app;

    /// <summary>The address, which is the issuer too.</summary>
    public string Address => _app.Urls.Single();

    /// <summary>False to answer every request with 503.</summary>
    public bool IsAvailable { get; set; } = true;

    /// <summary>The public key as anyone can read it, in the encodings that an attacker would try as a shared secret.</summary>
    public IEnumerable<byte[]> PublicKeys =>
        [_key.ExportSubjectPublicKeyInfo(), System.Text.Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), _key.ExportParameters(false).Modulus!];

    public static async Task<TestAuthority> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var authority = new TestAuthority(builder.Build());
        authority._app.MapGet(
            "/.well-known/openid-configuration", () => authority.Answer(new { issuer = authority.Address, jwks_uri = $"{authority.Address}/keys" }));
        authority._app.MapGet("/keys", () => authority.Answer(authority.Keys()));
        await authority._app.StartAsync();
        return authority;
    }

    /// <summary>Signs a token as this authority.</summary>
    public string Issue(TestToken token) => (token with { Issuer = Address, KeyId = KeyId }).SignedWith(_key);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private IResult Answer(object body) => IsAvailable ? Results.Json(body) : Results.StatusCode(StatusCodes.Status503ServiceUnavailable);

    private object Keys()
    {
        var parts = _key.ExportParameters(includePrivateParameters: false);
        return new
        {
            keys = new[]
            {
                new
                {
                    kty = "RSA",
                    use = "sig",
                    alg = "RS256",
                    kid = KeyId,
                    n = Base64Url.EncodeToString(parts.Modulus),
                    e = Base64Url.EncodeToString(parts.Exponent),
                },
            },
        };
    }
}
