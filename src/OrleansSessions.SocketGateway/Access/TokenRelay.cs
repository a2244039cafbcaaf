using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// A browser cannot set headers on a socket, so its token arrives as a subprotocol: <c>sessions.v1.json, bearer.TOKEN</c>. This moves the token to the
/// <c>Authorization</c> header before anything else reads the request, so that every authentication scheme finds it, and nothing can echo or log it.
/// </summary>
internal sealed class TokenRelay : IStartupFilter
{
    public const string V1Protocol = "sessions.v1.json";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(static (HttpContext context, RequestDelegate following) =>
        {
            Relay(context.Request.Headers);
            return following(context);
        });
        next(app);
    };

    internal static void Relay(IHeaderDictionary headers)
    {
        if (headers.SecWebSocketProtocol.Count == 0)
        {
            return;
        }

        var offered = headers.GetCommaSeparatedValues(HeaderNames.SecWebSocketProtocol);
        if (!offered.Contains(V1Protocol, StringComparer.Ordinal) || !Array.Exists(offered, BearerToken.IsSubprotocol))
        {
            return;
        }

        headers.SecWebSocketProtocol = string.Join(", ", offered.Where(protocol => !BearerToken.IsSubprotocol(protocol)));
        if (headers.Authorization.Count == 0)
        {
            // Of several tokens, none can be meant.
            headers.Authorization = offered.Where(BearerToken.IsSubprotocol).ToArray() is [{ } only]
                ? BearerToken.HeaderOfSubprotocol(only)
                : BearerToken.Header(null);
        }
    }
}
