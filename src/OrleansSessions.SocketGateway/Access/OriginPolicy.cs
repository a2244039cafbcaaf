using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Keeps foreign pages out. Browsers let any page send requests and open sockets to any host.</summary>
internal static class OriginPolicy
{
    private const string All = "*";

    public static RequestOrigin Judge(HttpRequest request, IList<string> allowed)
    {
        if (!request.Headers.TryGetValue(HeaderNames.Origin, out var header))
        {
            return RequestOrigin.None;
        }

        // Two headers are joined by a comma, which no origin contains, so they count as foreign. So does "null", the origin of sandboxed frames.
        var origin = header.ToString();
        if (IsSameHost(origin, request))
        {
            return RequestOrigin.SameHost;
        }

        return allowed.Contains(origin, StringComparer.OrdinalIgnoreCase) ? RequestOrigin.Listed
            : allowed.Contains(All) ? RequestOrigin.Any
            : RequestOrigin.Foreign;
    }

    /// <summary>
    /// Compares the host and the port. A request that is known to be encrypted takes only pages that are. Otherwise the scheme is not compared, because a
    /// proxy that is not trusted can have removed the encryption.
    /// </summary>
    private static bool IsSameHost(string origin, HttpRequest request)
    {
        var host = request.Host;
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || !(uri.Scheme == "https" || (uri.Scheme == "http" && !request.IsHttps))
            || !string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return host.Port is { } port ? port == uri.Port : uri.IsDefaultPort;
    }
}
