using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>
/// Handles requests for which there is no other endpoint: preflights, other
/// methods, unknown addresses. As endpoints, they need no middleware in the host.
/// </summary>
internal static class OtherRequests
{
    /// <summary>Handles the methods of a path other than <paramref name="methods"/>.</summary>
    public static void MapOtherMethods(this RouteGroupBuilder group, string path, params string[] methods) =>
        group.MapOtherMethods(path, RequestBody.NotJson, methods);

    /// <param name="otherType">The refusal of a content type that the endpoints do not accept.</param>
    public static void MapOtherMethods(this RouteGroupBuilder group, string path, ErrorMessage otherType, params string[] methods)
    {
        var allow = string.Join(", ", methods);

        // A browser sends no credentials with a preflight, so it must be allowed even if the host requires authorization.
        group.MapMethods(path, [HttpMethods.Options], (HttpResponse response) => Allow(response, allow))
            .WithMetadata(new Preflight()).AllowAnonymous().ExcludeFromDescription();
        group.Map(path, (HttpContext context, SessionHttp http) => Refuse(context, http, methods, allow, otherType)).ExcludeFromDescription();
    }

    public static void MapUnknownPaths(this RouteGroupBuilder group) =>
        group.Map("/{**rest}", (SessionHttp http) => http.Refuse(new(WireErrors.NotFound, "This address does not exist."))).ExcludeFromDescription();

    private static NoContent Allow(HttpResponse response, string allow)
    {
        response.Headers[HeaderNames.Allow] = allow;
        return TypedResults.NoContent();
    }

    private static IResult Refuse(HttpContext context, SessionHttp http, string[] methods, string allow, ErrorMessage otherType)
    {
        if (methods.Contains(context.Request.Method, StringComparer.OrdinalIgnoreCase))
        {
            // Routing found the method, but no endpoint that accepts the content type.
            return http.Refuse(otherType);
        }

        context.Response.Headers[HeaderNames.Allow] = allow;
        return http.Refuse(new(WireErrors.MethodNotAllowed, $"This address supports only {allow}."));
    }
}
