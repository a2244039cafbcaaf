using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using OrleansSessions.SocketGateway;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Authentication;

/// <summary>The authentication of this server: ASP.NET Core's own, with JSON Web Tokens, API keys, or both.</summary>
internal static class ServerAuthentication
{
    private const string Jwt = JwtBearerDefaults.AuthenticationScheme;

    // A request that brings a token waits for the authority at most this long.
    private static readonly TimeSpan AuthorityTimeout = TimeSpan.FromSeconds(10);

    // An authority publishes public keys. If HS256 were allowed too, anyone could sign with one of them as if it were a shared secret.
    private static readonly string[] PublicKeyAlgorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly string[] SharedKeyAlgorithms = [SecurityAlgorithms.HmacSha256];

    /// <summary>True if callers can prove who they are.</summary>
    public static bool IsConfigured(AuthOptions auth, JwtOptions jwt) => jwt.IsConfigured || auth.ApiKeys.Count > 0;

    /// <summary>Adds the schemes that are configured. With both, a token that is no API key is taken for a JSON Web Token.</summary>
    public static void AddServerAuthentication(this IServiceCollection services, AuthOptions auth, JwtOptions jwt)
    {
        if (!IsConfigured(auth, jwt))
        {
            return;
        }

        var hasKeys = auth.ApiKeys.Count > 0;
        var schemes = services.AddAuthentication(hasKeys ? ApiKeyExtensions.Scheme : Jwt);
        if (jwt.IsConfigured)
        {
            services.AddSingleton<AuthorityCheck>();
            schemes.AddJwtBearer(Jwt, bearer => Configure(bearer, jwt));
        }

        if (hasKeys)
        {
            schemes.AddSessionApiKeys(jwt.IsConfigured ? Jwt : null);
        }
    }

    public static void UseServerAuthentication(this WebApplication app, AuthOptions auth, JwtOptions jwt)
    {
        if (IsConfigured(auth, jwt))
        {
            app.UseAuthentication();
        }
    }

    /// <summary>Sets everything that decides whether a token is valid, so that no other configuration of the framework can weaken it.</summary>
    private static void Configure(JwtBearerOptions bearer, JwtOptions jwt)
    {
        var isShared = jwt.Authority.Length == 0;
        bearer.MapInboundClaims = false;
        bearer.Authority = isShared ? null : jwt.Authority;
        bearer.MetadataAddress = null!;
        bearer.Audience = null;
        bearer.RequireHttpsMetadata = jwt.NeedsHttps;
        bearer.BackchannelTimeout = AuthorityTimeout;
        bearer.IncludeErrorDetails = false;
        bearer.SaveToken = false;
        bearer.TokenValidationParameters = new()
        {
            ValidAudiences = jwt.Audiences,
            ValidIssuer = isShared ? jwt.Issuer : null,
            ValidAlgorithms = isShared ? SharedKeyAlgorithms : PublicKeyAlgorithms,
            IssuerSigningKeys = [.. jwt.Keys.Select(key => new SymmetricSecurityKey(SigningSecret.Decode(key.Value)) { KeyId = key.Key })],
            ClockSkew = jwt.ClockSkew,
        };
        bearer.Events = new()
        {
            OnMessageReceived = static context => context.HttpContext.RequestServices.GetRequiredService<AuthorityCheck>().CheckAsync(context),
        };
    }
}
