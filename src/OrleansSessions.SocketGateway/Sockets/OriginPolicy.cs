using Microsoft.AspNetCore.Http;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>Who a request comes from, as far as browsers tell.</summary>
internal enum RequestOrigin
{
    /// <summary>Not a browser: no <c>Origin</c>.</summary>
    None,

    /// <summary>A page that may connect.</summary>
    Allowed,

    /// <summary>A page that may not.</summary>
    Foreign,
}

/// <summary>Browsers let any page open a socket anywhere; this is what keeps foreign pages out.</summary>
internal static class OriginPolicy
{
    public static RequestOrigin Judge(HttpRequest request, IList<string> allowed)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
        {
            return RequestOrigin.None;
        }

        foreach (var one in allowed)
        {
            if (one == "*" || string.Equals(one, origin, StringComparison.OrdinalIgnoreCase))
            {
                return RequestOrigin.Allowed;
            }
        }

        return IsSameHost(origin, request.Host) ? RequestOrigin.Allowed : RequestOrigin.Foreign;
    }

    /// <summary>Compares host and port. Not the scheme: a proxy in front may have taken the encryption off.</summary>
    private static bool IsSameHost(string origin, HostString host)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || !string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return host.Port is { } port ? port == uri.Port : uri.IsDefaultPort;
    }
}
