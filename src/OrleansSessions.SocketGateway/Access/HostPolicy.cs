using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// A server that listens only on loopback is meant for this machine. A foreign page can still reach it if
/// it makes its own host name resolve to 127.0.0.1 (DNS rebinding): the request's <c>Origin</c> and
/// <c>Host</c> are then equal. Therefore, such a server accepts only loopback names and configured names.
/// </summary>
internal sealed class HostPolicy(IServer server, IHostApplicationLifetime lifetime, IConfiguration configuration, IOptions<SocketGatewayOptions> options)
{
    /// <summary>ASP.NET Core's own key. Its value <c>*</c>, which project templates write, allows no additional host here.</summary>
    public const string AllowedHostsKey = "AllowedHosts";

    // The second is what ASP.NET Core's middleware leaves of the first.
    private static readonly string[] ForwardPrefixes = ["X-Forwarded-", "X-Original-"];
    private static readonly string[] ForwardHeaders = ["Forwarded", "X-Real-IP", "Via"];

    private readonly Lazy<List<StringSegment>> _allowed = new(() => FindAllowed(configuration, options.Value));
    private List<(int Port, bool IsLoopback)>? _addresses;

    /// <summary>False if the request has a <c>Host</c> that this server does not accept.</summary>
    public bool IsKnown(HttpContext context)
    {
        // HTTP/1.0 clients can omit the header; browsers never do. A request through a Unix socket has no address, and browsers cannot send one.
        var host = context.Request.Host;
        return !host.HasValue || context.Connection.LocalIpAddress is null || !IsLoopbackOnly(context.Connection.LocalPort)
            || IsLoopbackName(host.Host) || HostString.MatchesAny(host.Value, _allowed.Value);
    }

    /// <summary>
    /// True if the request comes from this machine, to an address and a name that only this machine can reach, and no proxy says that it only forwards it.
    /// A proxy that does not say so makes strangers look local, which is why its documentation asks for the header.
    /// </summary>
    public bool IsLocal(HttpContext context) =>
        context.Connection.LocalIpAddress is not null && IsLoopbackOnly(context.Connection.LocalPort)
        && context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
        && IsLoopbackName(context.Request.Host.Host)
        && !IsForwarded(context);

    /// <summary>
    /// True if the request is <see cref="IsLocal">local</see>, or came through a Unix socket and no proxy says that it only forwards it. Whoever opens a Unix
    /// socket is on this machine, too, but usually it is a proxy, so such a request is served and has no rights of its own.
    /// </summary>
    public bool IsFromThisMachine(HttpContext context) => IsLocal(context) || (context.Connection.LocalIpAddress is null && !IsForwarded(context));

    private static bool IsForwarded(HttpContext context) => context.Request.Headers.Keys.Any(IsOfAProxy);

    /// <summary>
    /// Considers only the addresses of the port on which the request arrived: a public management port does not make the other ports public.
    /// </summary>
    private bool IsLoopbackOnly(int port)
    {
        var all = _addresses ?? ReadAddresses();
        var hasPort = all.Exists(address => address.Port == port);
        return all.Count > 0 && all.TrueForAll(address => address.IsLoopback || (hasPort && address.Port != port));
    }

    private List<(int Port, bool IsLoopback)> ReadAddresses()
    {
        List<(int, bool)> addresses = [.. (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Select(Read)];
        if (lifetime.ApplicationStarted.IsCancellationRequested)
        {
            // While the server starts, a request can arrive before the last address is bound, so the list is kept only after the start.
            _addresses = addresses;
        }

        return addresses;
    }

    private static (int Port, bool IsLoopback) Read(string address)
    {
        var isLocal = address.StartsWith("http://unix:", StringComparison.OrdinalIgnoreCase)
            || address.StartsWith("http://pipe:", StringComparison.OrdinalIgnoreCase);
        return Uri.TryCreate(address, UriKind.Absolute, out var uri) ? (uri.Port, isLocal || IsLoopbackName(uri.Host)) : (0, isLocal);
    }

    private static bool IsOfAProxy(string header) =>
        ForwardHeaders.Contains(header, StringComparer.OrdinalIgnoreCase)
        || ForwardPrefixes.Any(prefix => header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static List<StringSegment> FindAllowed(IConfiguration configuration, SocketGatewayOptions options) =>
    [
        .. (configuration[AllowedHostsKey] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(host => host != "*").Select(host => new StringSegment(host)),
        .. options.AllowedOrigins.Select(origin => Uri.TryCreate(origin, UriKind.Absolute, out var uri) ? uri.Host : null)
            .Where(host => host is not null).Select(host => new StringSegment(host)),
    ];
}
