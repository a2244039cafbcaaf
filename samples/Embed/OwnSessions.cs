using Microsoft.AspNetCore.Authorization;

namespace Embed;

/// <summary>
/// A session belongs to the customer whose name stands before the first dot of its id: <c>alice.chat</c>. Names of customers have no dot.
/// Sockets and HTTP reach the same sessions, so both are put under this policy.
/// </summary>
internal sealed class OwnSessions : AuthorizationHandler<OwnSessions.Requirement>
{
    public const string Policy = "own-session";

    public static string OwnerOf(string sessionId) => sessionId.Split('.')[0];

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, Requirement requirement)
    {
        // The pattern of the sockets says session_id, and that of the HTTP API says id.
        if (context.Resource is HttpContext { Request.RouteValues: var route }
            && (route["session_id"] ?? route["id"]) is string session && OwnerOf(session) == context.User.Identity?.Name)
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    internal sealed class Requirement : IAuthorizationRequirement;
}

internal static class OwnSessionsHosting
{
    public static void AddOwnSessions(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IAuthorizationHandler, OwnSessions>();
        builder.Services.AddAuthorizationBuilder().AddPolicy(
            OwnSessions.Policy, policy => policy.RequireAuthenticatedUser().AddRequirements(new OwnSessions.Requirement()));
    }
}
