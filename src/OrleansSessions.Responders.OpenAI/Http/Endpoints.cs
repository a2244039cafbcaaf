namespace OrleansSessions.Responders.OpenAI.Http;

/// <summary>Addresses: of the configured endpoint, and where a redirect can lead.</summary>
internal static class Endpoints
{
    private const string Completions = "/chat/completions";

    /// <summary>The address that questions are posted to. One that names it already is used as it is, and a query is kept.</summary>
    public static Uri CompletionsOf(string endpoint)
    {
        var address = new UriBuilder(endpoint) { Fragment = "" };
        var path = address.Path.TrimEnd('/');
        address.Path = path.EndsWith(Completions, StringComparison.OrdinalIgnoreCase) ? path : path + Completions;
        return address.Uri;
    }

    /// <summary>
    /// True if a question can follow a redirect. It can on the same server, and to https on the same host: the question and the key go to no one else.
    /// </summary>
    public static bool IsSameServer(Uri from, Uri to)
    {
        var isSameHost = from.Host.Equals(to.Host, StringComparison.OrdinalIgnoreCase);
        var isUpgrade = from.Scheme == Uri.UriSchemeHttp && to.Scheme == Uri.UriSchemeHttps && from.IsDefaultPort && to.IsDefaultPort;
        return isSameHost && ((from.Scheme == to.Scheme && from.Port == to.Port) || isUpgrade);
    }
}
