using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansSessions.Sessions;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>
/// An authentication scheme that believes what a request says of itself: <c>X-Subject: alice</c>, and, if needed, <c>X-Permissions: sessions:admin</c>. A
/// request without a subject is anonymous. Pass <see cref="Add"/> as <c>configureHost</c> to <see cref="SocketHost.StartAsync"/>.
/// </summary>
public static class HeaderAuthentication
{
    public const string SubjectHeader = "X-Subject";
    public const string PermissionsHeader = "X-Permissions";

    private const string Scheme = "header";

    public static void Add(WebApplicationBuilder builder) =>
        builder.Services.AddAuthentication(Scheme).AddScheme<AuthenticationSchemeOptions, Handler>(Scheme, null);

    /// <summary>The scope of a subject's own sessions.</summary>
    public static string ScopeOf(string subject) => SessionScope.Of(Scheme, subject);

    /// <summary>Sends the requests of a client as this subject.</summary>
    /// <param name="permissions">Separated by spaces, or null for none.</param>
    public static HttpClient CreateClient(this SocketHost host, string subject, string? permissions = null)
    {
        var client = new HttpClient { BaseAddress = host.Address };
        client.DefaultRequestHeaders.Add(SubjectHeader, subject);
        if (permissions is not null)
        {
            client.DefaultRequestHeaders.Add(PermissionsHeader, permissions);
        }

        return client;
    }

    /// <summary>Opens a socket as this subject: <c>options => options.ActAs("alice")</c>.</summary>
    /// <param name="permissions">Separated by spaces, or null for none.</param>
    public static void ActAs(this ClientWebSocketOptions options, string subject, string? permissions = null)
    {
        options.SetRequestHeader(SubjectHeader, subject);
        if (permissions is not null)
        {
            options.SetRequestHeader(PermissionsHeader, permissions);
        }
    }

    private sealed class Handler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers[SubjectHeader].ToString() is not { Length: > 0 } subject)
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            Claim[] claims = [new("sub", subject, null, HeaderAuthentication.Scheme), new("scope", Request.Headers[PermissionsHeader].ToString())];
            return Task.FromResult(AuthenticateResult.Success(new(new(new ClaimsIdentity(claims, HeaderAuthentication.Scheme)), HeaderAuthentication.Scheme)));
        }
    }
}
