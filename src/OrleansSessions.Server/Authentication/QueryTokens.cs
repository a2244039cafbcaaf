using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using OrleansSessions.SocketGateway.Access;

namespace OrleansSessions.Server.Authentication;

/// <summary>
/// Takes tokens out of addresses (<c>?access_token=</c>) before anything logs the address. Where the server accepts such tokens, a token becomes the
/// <c>Authorization</c> header of a socket or an event stream; for other requests there is no reason to send one there.
/// </summary>
internal static class QueryTokens
{
    private const string Parameter = "access_token";
    private const string EventStream = "text/event-stream";

    /// <param name="isAccepted">Whether a token that is found is used.</param>
    public static void Remove(IFeatureCollection features, bool isAccepted)
    {
        var request = features.GetRequiredFeature<IHttpRequestFeature>();
        if (request.QueryString.Length == 0)
        {
            return;
        }

        var kept = Split(request.QueryString, out var tokens);
        if (tokens.Count == 0)
        {
            return;
        }

        request.QueryString = kept;
        request.RawTarget = request.RawTarget.Split('?')[0] + kept;
        if (isAccepted && !HasTokenInHeaders(request.Headers) && (IsSocket(features, request.Headers) || IsEventStream(request.Headers)))
        {
            request.Headers.Authorization = BearerToken.Header(tokens is [{ } only] ? only : null);
        }
    }

    /// <summary>Returns the query without tokens. The other parameters stay as they were sent.</summary>
    private static string Split(string query, out List<string> tokens)
    {
        tokens = [];
        var kept = new List<string>();
        foreach (var pair in query[1..].Split('&'))
        {
            var end = pair.IndexOf('=', StringComparison.Ordinal);
            var name = end < 0 ? pair : pair[..end];
            if (Decode(name).Equals(Parameter, StringComparison.OrdinalIgnoreCase))
            {
                tokens.Add(end < 0 ? "" : Decode(pair[(end + 1)..]));
            }
            else
            {
                kept.Add(pair);
            }
        }

        return kept.Count == 0 ? "" : "?" + string.Join('&', kept);
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static bool HasTokenInHeaders(IHeaderDictionary headers) => headers.Authorization.Count > 0
        || headers.GetCommaSeparatedValues(HeaderNames.SecWebSocketProtocol).Any(BearerToken.IsSubprotocol);

    private static bool IsSocket(IFeatureCollection features, IHeaderDictionary headers) =>
        Contains(headers.Upgrade, "websocket") || features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" };

    private static bool IsEventStream(IHeaderDictionary headers) => Contains(headers.Accept, EventStream);

    private static bool Contains(StringValues header, string value) => header.Any(text => text?.Contains(value, StringComparison.OrdinalIgnoreCase) == true);
}
