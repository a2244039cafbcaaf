using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Reads who calls from what the host's authentication has found out, and decides whether a caller without an identity is served.</summary>
internal sealed class CallerReader(IOptions<AuthOptions> options, HostPolicy hosts, IServiceProvider services)
{
    private const string Sub = "sub";

    /// <summary>Nothing is wrong with the token as far as is known: the caller can send it again.</summary>
    public static ErrorMessage CannotCheck { get; } = new(WireErrors.Internal, "The token cannot be checked at the moment.");

    /// <summary>Returns the caller, or the reason why it is refused.</summary>
    public async ValueTask<(CallerIdentity? Caller, ErrorMessage? Refusal)> ReadAsync(HttpContext context)
    {
        // 1. The host's authentication knows the caller.
        if (context.User.Identity is { IsAuthenticated: true })
        {
            var result = context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult;
            return Read(context.User, result?.Properties?.ExpiresUtc, result?.Ticket?.AuthenticationScheme);
        }

        // 2. There was a token, and it is not valid. Whoever sends one must not be served as if it had sent none.
        var hasSchemes = await HasSchemesAsync();
        if (context.Request.Headers.Authorization.Count > 0 && hasSchemes)
        {
            return (null, await ExplainAsync(context));
        }

        // 3. There was none.
        if (options.Value.AllowAnonymous || (!hasSchemes && hosts.IsFromThisMachine(context)))
        {
            return (hosts.IsLocal(context) ? CallerIdentity.Local : CallerIdentity.Anonymous, null);
        }

        return (null, Refusals.Unauthorized(hasSchemes
            ? "This server serves only callers with a token."
            : "This server has no authentication, so it serves only programs on its own machine, at a loopback name and without a proxy. Its operator must "
                + $"configure one, or set {AuthOptions.Section}:{nameof(AuthOptions.AllowAnonymous)}."));
    }

    /// <summary>Reads the caller from a token that arrived in a message.</summary>
    /// <param name="scheme">The scheme that knew the caller before, or null for the host's default.</param>
    public async Task<(CallerIdentity? Caller, ErrorMessage? Refusal)> ReadTokenAsync(string token, string? scheme)
    {
        await using var scope = services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        context.Request.Headers.Authorization = BearerToken.Header(token);
        var result = await AuthenticateAsync(context, scheme);
        return result is { Succeeded: true }
            ? Read(result.Principal, result.Properties?.ExpiresUtc, result.Ticket.AuthenticationScheme)
            : (null, Explain(result?.Failure));
    }

    private (CallerIdentity? Caller, ErrorMessage? Refusal) Read(ClaimsPrincipal user, DateTimeOffset? expiresAt, string? scheme)
    {
        foreach (var identity in user.Identities.Where(identity => identity.IsAuthenticated))
        {
            if (SubjectOf(identity) is not { Value.Length: > 0 } subject)
            {
                continue;
            }

            var tenant = options.Value.TenantClaim is { Length: > 0 } type && subject.Issuer != ApiKeyHandler.Issuer ? type : null;
            if ((tenant is null ? subject : Only(identity, tenant)) is not { Value.Length: > 0 } owner)
            {
                return (null, new(WireErrors.Forbidden, $"The token has no claim '{tenant}' with one value, which names the tenant of its subject."));
            }

            var permissions = Permissions.Of(identity);
            return (new()
            {
                Scope = SessionScope.Of(subject.Issuer, owner.Value),
                Rights = RightsOf(permissions),
                Subject = subject.Value,
                Issuer = subject.Issuer,
                Permissions = permissions,
                ExpiresAt = expiresAt,
                Scheme = scheme,
            }, null);
        }

        return (null, new(WireErrors.Forbidden, $"The caller is authenticated but has no {DescribeSubjectClaim()}, which must name it."));
    }

    private Claim? SubjectOf(ClaimsIdentity identity) => options.Value.SubjectClaim is { Length: > 0 } type
        ? Only(identity, type) ?? (identity.FindFirst(ClaimTypes.NameIdentifier) is { Issuer: ApiKeyHandler.Issuer } key ? key : null)
        : identity.FindFirst(Sub) ?? identity.FindFirst(ClaimTypes.NameIdentifier);

    /// <summary>Returns the claim, or null if there are several: the first of them could be another one in the next token.</summary>
    private static Claim? Only(ClaimsIdentity identity, string type) => identity.FindAll(type).ToList() is [{ } only] ? only : null;

    private string DescribeSubjectClaim() =>
        options.Value.SubjectClaim is { Length: > 0 } type ? $"claim '{type}' with one value" : $"claim '{Sub}' and no name identifier";

    private static SessionRights RightsOf(string[] permissions)
    {
        var rights = SessionRights.Follow | SessionRights.Ask | SessionRights.Remove;
        rights |= permissions.Contains(Permissions.Answer) ? SessionRights.Answer : SessionRights.None;
        return rights | (permissions.Contains(Permissions.Admin) ? SessionRights.Administer : SessionRights.None);
    }

    private async ValueTask<bool> HasSchemesAsync() =>
        services.GetService<IAuthenticationSchemeProvider>() is { } schemes && (await schemes.GetAllSchemesAsync()).Any();

    private async Task<AuthenticateResult?> AuthenticateAsync(HttpContext context, string? scheme)
    {
        if (services.GetService<IAuthenticationSchemeProvider>() is not { } schemes)
        {
            return null;
        }

        scheme ??= (await schemes.GetDefaultAuthenticateSchemeAsync())?.Name;
        return scheme is null ? null : await context.AuthenticateAsync(scheme);
    }

    private async Task<ErrorMessage> ExplainAsync(HttpContext context) => Explain((await AuthenticateAsync(context, scheme: null))?.Failure);

    private static ErrorMessage Explain(Exception? failure) =>
        failure is TokenCheckUnavailableException ? CannotCheck
        : IsExpiry(failure) ? Refusals.TokenExpired()
        : Refusals.Unauthorized("The token is not valid for this server.");

    // The exception's type is in a package that this library does not need otherwise.
    private static bool IsExpiry(Exception? failure) => failure is AggregateException { InnerExceptions: var all }
        ? all.Any(IsExpiry)
        : failure?.GetType().Name == "SecurityTokenExpiredException";
}
