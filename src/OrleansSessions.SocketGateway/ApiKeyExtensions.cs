using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.SocketGateway;

/// <summary>Adds the API keys of <see cref="AuthOptions.ApiKeys"/> to the authentication of a host.</summary>
public static class ApiKeyExtensions
{
    /// <summary>The name of the scheme.</summary>
    public const string Scheme = "SessionApiKey";

    /// <summary>
    /// Adds the scheme <see cref="Scheme"/>: a bearer token that is a configured API key. To accept other tokens too, make this scheme the default and name
    /// the other one: <c>AddAuthentication(ApiKeyExtensions.Scheme).AddJwtBearer().AddSessionApiKeys(otherScheme: "Bearer")</c>. Call
    /// <c>AddSocketGateway</c> as well, which reads the keys.
    /// </summary>
    /// <param name="otherScheme">The scheme for every request whose token is no API key. Default none: such a request is refused.</param>
    public static AuthenticationBuilder AddSessionApiKeys(this AuthenticationBuilder builder, string? otherScheme = null)
    {
        builder.Services.TryAddSingleton<ApiKeys>();
        return builder.AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(Scheme, options =>
        {
            if (otherScheme is not null)
            {
                options.ForwardDefaultSelector = context =>
                    context.RequestServices.GetRequiredService<ApiKeys>().IsKey(context.Request.Headers.Authorization) ? null : otherScheme;
            }
        });
    }
}
