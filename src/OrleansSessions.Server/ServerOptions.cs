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
}
