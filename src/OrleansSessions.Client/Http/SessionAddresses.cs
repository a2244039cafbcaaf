using System.Globalization;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Http;

/// <summary>The addresses of one session.</summary>
internal sealed class SessionAddresses
{
    private readonly UriBuilder _socket;
    private readonly UriBuilder _api;
    private readonly string _query;

    /// <exception cref="ArgumentException">An address or the session id is not valid.</exception>
    public SessionAddresses(Uri url, string session, SessionClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!Identifiers.IsSessionId(session))
        {
            throw new ArgumentException(
                $"'{session}' is not a session id: 1 to {Identifiers.MaxSessionIdLength} characters from A-Z a-z 0-9 . _ ~ : @ - and not '.' or '..'.",
                nameof(session));
        }

        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https" or "ws" or "wss"))
        {
            throw new ArgumentException($"'{url}' is not an address of a server, for example http://localhost:5080.", nameof(url));
        }

        var isSecure = url.Scheme is "https" or "wss";
        _query = url.Query.TrimStart('?');
        _socket = Below(url, isSecure ? "wss" : "ws", options.SocketPath, session);
        _api = Below(url, isSecure ? "https" : "http", options.ApiPath, session);
    }

    /// <summary>The address of the socket. With an epoch, it resumes from that position.</summary>
    public Uri Socket(string? epoch, long last)
    {
        var position = epoch is null ? "" : $"&epoch={Uri.EscapeDataString(epoch)}&after={last.ToString(CultureInfo.InvariantCulture)}";
        return With(_socket, "", "v=1" + position);
    }

    /// <summary>An address of the session's HTTP API.</summary>
    public Uri Api(string path, string query = "") => With(_api, path, query);

    private static UriBuilder Below(Uri url, string scheme, string path, string session)
    {
        if (!path.Contains(SessionClientOptions.SessionPlaceholder, StringComparison.Ordinal))
        {
            throw new ArgumentException($"The path '{path}' does not contain {SessionClientOptions.SessionPlaceholder}.", nameof(path));
        }

        var below = path.TrimStart('/').Replace(SessionClientOptions.SessionPlaceholder, session, StringComparison.Ordinal);
        return new(scheme, url.IdnHost, url.Port, $"{url.AbsolutePath.TrimEnd('/')}/{below}");
    }

    private Uri With(UriBuilder address, string path, string query) =>
        new UriBuilder(address.Uri) { Path = address.Path + path, Query = string.Join('&', new[] { _query, query }.Where(static part => part.Length > 0)) }.Uri;
}
