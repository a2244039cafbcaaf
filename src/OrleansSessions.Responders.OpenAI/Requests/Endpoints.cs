using System.Net;

namespace OrleansSessions.Responders.OpenAI.Requests;

/// <summary>Addresses: of the configured endpoint, and where a redirect can lead.</summary>
internal static class Endpoints
{
    private const string Completions = "/chat/completions";

    /// <summary>Domains for local use (RFC 6762, RFC 6761, ICANN's .internal), and those of services in a Kubernetes cluster.</summary>
    private static readonly string[] PrivateDomains = [".local", ".localhost", ".internal", ".svc"];

    /// <summary>The address that questions are posted to. One that names it already is used as it is, and a query is kept.</summary>
    public static Uri CompletionsOf(string endpoint)
    {
        var address = new UriBuilder(endpoint) { Fragment = "" };
        var path = address.Path.TrimEnd('/');
        address.Path = path.EndsWith(Completions, StringComparison.OrdinalIgnoreCase) ? path : path + Completions;
        return address.Uri;
    }

    /// <summary>
    /// True if the endpoint is in a network of one's own: a loopback or private address, a name without a dot, or one of a domain that is never public.
    /// </summary>
    public static bool IsOwnNetwork(Uri endpoint) => IPAddress.TryParse(endpoint.DnsSafeHost, out var address)
        ? IsPrivate(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        : !endpoint.Host.Contains('.') || PrivateDomains.Any(domain => endpoint.Host.EndsWith(domain, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// True if a question can follow a redirect. It can on the same server, and to https on the same host: the question and the key go to no one else.
    /// </summary>
    public static bool IsSameServer(Uri from, Uri to)
    {
        var isSameHost = from.Host.Equals(to.Host, StringComparison.OrdinalIgnoreCase);
        var isUpgrade = from.Scheme == Uri.UriSchemeHttp && to.Scheme == Uri.UriSchemeHttps && from.IsDefaultPort && to.IsDefaultPort;
        return isSameHost && ((from.Scheme == to.Scheme && from.Port == to.Port) || isUpgrade);
    }

    /// <summary>Loopback, 10/8, 172.16/12, 192.168/16, and the local ranges of IPv6.</summary>
    private static bool IsPrivate(IPAddress address) =>
        IPAddress.IsLoopback(address) || address.IsIPv6UniqueLocal || address.IsIPv6LinkLocal
        || (address.GetAddressBytes() is { Length: 4 } bytes && (bytes[0], bytes[1]) is (10, _) or (172, >= 16 and <= 31) or (192, 168));
}
