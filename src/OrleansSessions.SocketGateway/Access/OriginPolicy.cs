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
        if (IsSameHost(origin, request.Host))
        {
            return RequestOrigin.SameHost;
        }

        return allowed.Contains(origin, StringComparer.OrdinalIgnoreCase) ? RequestOrigin.Listed
            : allowed.Contains(All) ? RequestOrigin.Any
            : RequestOrigin.Foreign;
    }

    /// <summary>Compares the host and the port, but not the scheme, because a proxy can have removed the encryption.</summary>
    private static bool IsSameHost(string origin, HostString host)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
            || !string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return host.Port is { } port ? port == uri.Port : uri.IsDefaultPort;
    }
}
