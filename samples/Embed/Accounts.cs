using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Embed;

/// <summary>
/// Accounts as many applications have them: a name, a password and a cookie. A real application has a user store here; this one has two
/// customers whose password is their name, so that the sample can be tried.
/// </summary>
internal static class Accounts
{
    private static readonly HashSet<string> Customers = ["alice", "bob"];

    public static void AddAccounts(this WebApplicationBuilder builder) =>
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options =>
        {
            // Sockets and fetch cannot follow a redirect to a page, so they get a status.
            options.Events.OnRedirectToLogin = context => RefuseAsync(context, StatusCodes.Status401Unauthorized);
            options.Events.OnRedirectToAccessDenied = context => RefuseAsync(context, StatusCodes.Status403Forbidden);
        });

    public static void MapAccounts(this WebApplication app)
    {
        app.MapPost("/sign-in", async (Credentials credentials, HttpContext context) =>
        {
            if (!Customers.Contains(credentials.Name) || credentials.Password != credentials.Name)
            {
                return Results.Unauthorized();
            }

            // The name identifier says whose sessions they are, so it must never be given to another customer later. Here it is the name.
            Claim[] claims = [new(ClaimTypes.NameIdentifier, credentials.Name), new(ClaimTypes.Name, credentials.Name)];
            var identity = new ClaimsIdentity(claims, CookieAuthenticationDefaults.AuthenticationScheme);
            await context.SignInAsync(new ClaimsPrincipal(identity));
            return Results.NoContent();
        });
        app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
    }

    private static Task RefuseAsync(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    internal sealed record Credentials(string Name, string Password);
}
