using System.Buffers.Text;
using System.Text;
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

    private const string Prefix = "bearer.";

    // No scheme accepts it as a token, so what cannot be decoded is refused and never served as if no token had been sent.
    private const string Undecodable = "-";

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
        if (!offered.Contains(V1Protocol, StringComparer.Ordinal) || !Array.Exists(offered, IsToken))
        {
            return;
        }

        headers.SecWebSocketProtocol = string.Join(", ", offered.Where(protocol => !IsToken(protocol)));
        if (headers.Authorization.Count == 0)
        {
            headers.Authorization = BearerToken.Header(Decode(offered.Where(IsToken).ToArray()));
        }
    }

    private static bool IsToken(string protocol) => protocol.StartsWith(Prefix, StringComparison.Ordinal);

    private static string Decode(string[] protocols)
    {
        var encoded = protocols is [{ } only] ? only.AsSpan(Prefix.Length) : [];
        if (encoded.IsEmpty || !Base64Url.IsValid(encoded))
        {
            return Undecodable;
        }

        var token = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(encoded));

        // A header's value is printable ASCII, and so is every token.
        return token.All(character => character is > ' ' and < '\x7f') ? token : Undecodable;
    }
}
