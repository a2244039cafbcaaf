using OrleansSessions.Configuration;

namespace OrleansSessions.Server;

/// <summary>Section <c>Server</c>: the role and ports of this process.</summary>
public sealed class ServerOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Server";

    /// <summary><c>All</c> (default), <c>Silo</c> or <c>SocketGateway</c>.</summary>
    public ServerRole Role { get; set; } = ServerRole.All;

    /// <summary>
    /// A separate TCP port for <c>/health</c> and <c>/metrics</c>, from 1 to 65535. Default none: they share the port of the page and the sockets.
    /// </summary>
    [Within(1, 65535)]
    public int? ManagementPort { get; set; }

    /// <summary>
    /// How long answers under way may take to finish when this process is stopped (SIGTERM), before they go on in another one. From 0 to 1 h. Default 20 s. The
    /// process needs up to 15 s more to stop.
    /// </summary>
    [Within("00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The proxies in front of this server, as addresses (<c>10.0.0.7</c>) or networks (<c>10.0.0.0/24</c>). From them, and from no one else,
    /// <c>X-Forwarded-For</c>, <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> are believed. Default none: these headers are never used.
    /// </summary>
    public IList<string> KnownProxies { get; set; } = [];

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes() => KnownProxies
        .Where(proxy => Hosting.KnownProxies.Parse(proxy) is null)
        .Select(proxy => $"{Section}:{nameof(KnownProxies)} is '{proxy}'; it must be an IP address or a network, for example 10.0.0.0/24.");
}
