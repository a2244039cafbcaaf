using System.Globalization;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>
/// A host's own authentication, for tests: a bearer token that says openly who sends it. <see cref="Of"/> writes one. Whatever else is sent is not valid.
/// </summary>
public static class TestTokens
{
    public const string Issuer = "https://issuer.test";
    public const string TenantClaim = "tenant";

    /// <summary>A token with which the scheme throws.</summary>
    public const string Crashing = "crash";

    /// <summary>A token that the scheme cannot check at the moment.</summary>
    public const string Uncheckable = "uncheckable";

    private const string SchemeName = "Test";
    private const string Prefix = "test";
    private const char Separator = '|';

    /// <param name="permissions">Permissions, separated by commas.</param>
    /// <param name="tenant">The tenant, or several, separated by commas.</param>
    /// <param name="expiresAt">When the token expires, or null if it does not.</param>
    public static string Of(string subject, string permissions = "", string tenant = "", DateTimeOffset? expiresAt = null) => string.Join(
        Separator, Prefix, Uri.EscapeDataString(subject), permissions, tenant, expiresAt?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>The scope of a subject's own sessions.</summary>
    public static string ScopeOf(string subject) => SessionScope.Of(Issuer, subject);

    /// <summary>Sends the requests of a client as this subject.</summary>
    /// <param name="permissions">Permissions, separated by commas.</param>
    public static HttpClient CreateClient(this SocketHost host, string subject, string permissions = "")
    {
        var client = new HttpClient { BaseAddress = host.Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Of(subject, permissions));
        return client;
    }

    /// <summary>Opens a socket as this subject: <c>options => options.ActAs("alice")</c>.</summary>
    /// <param name="permissions">Permissions, separated by commas.</param>
    public static void ActAs(this ClientWebSocketOptions options, string subject, string permissions = "") =>
        options.SetRequestHeader("Authorization", $"Bearer {Of(subject, permissions)}");

    public static void AddTestTokens(this WebApplicationBuilder builder) =>
        builder.Services.AddAuthentication(SchemeName).AddScheme<AuthenticationSchemeOptions, Handler>(SchemeName, configureOptions: null);

    private sealed class Handler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TimeProvider clock)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Authenticate(Request.Headers.Authorization.ToString()));

        private AuthenticateResult Authenticate(string header)
        {
            if (header.Length == 0)
            {
                return AuthenticateResult.NoResult();
            }

            var token = header.Split(' ')[^1];
            if (token is Crashing or Uncheckable)
            {
                return token == Crashing
                    ? throw new InvalidOperationException("secret")
                    : AuthenticateResult.Fail(new TokenCheckUnavailableException());
            }

            if (token.Split(Separator) is not [Prefix, var subject, var permissions, var tenant, var expires])
            {
                return AuthenticateResult.Fail("This is not a token.");
            }

            DateTimeOffset? end = expires.Length == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(expires, CultureInfo.InvariantCulture));
            if (end <= clock.GetUtcNow())
            {
                return AuthenticateResult.Fail(new SecurityTokenExpiredException());
            }

            List<Claim> claims = [new("scope", permissions.Replace(',', ' '), null, Issuer)];
            if (subject.Length > 0)
            {
                claims.Add(new("sub", Uri.UnescapeDataString(subject), null, Issuer));
            }

            if (tenant.Length > 0)
            {
                claims.AddRange(tenant.Split(',').Select(name => new Claim(TenantClaim, name, null, Issuer)));
            }

            return AuthenticateResult.Success(new(
                new ClaimsPrincipal(new ClaimsIdentity(claims, SchemeName)), new AuthenticationProperties { ExpiresUtc = end }, SchemeName));
        }
    }

    /// <summary>Has the name of the exception that JWT handlers report.</summary>
    private sealed class SecurityTokenExpiredException : Exception;
}
