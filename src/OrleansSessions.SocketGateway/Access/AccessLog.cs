using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Logs each refused origin and host once, up to a maximum number, because a client can invent any number of them.</summary>
internal sealed partial class AccessLog(ILogger<AccessLog> logger)
{
    private const int MaxKept = 100;

    private readonly ConcurrentDictionary<string, bool> _seen = new(StringComparer.OrdinalIgnoreCase);

    public void OriginRefused(string origin, string host)
    {
        if (IsNew(origin))
        {
            LogMessages.OriginRefused(logger, origin, host);
        }
    }

    public void HostRefused(string host)
    {
        if (IsNew(host))
        {
            LogMessages.HostRefused(logger, host);
        }
    }

    private bool IsNew(string name) => _seen.Count < MaxKept && _seen.TryAdd(name, true);

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Warning,
            "Pages of the origin {Origin} were refused: the request named the host {Host}. To allow them, add the origin to SocketGateway:AllowedOrigins.")]
        public static partial void OriginRefused(ILogger logger, string origin, string host);

        [LoggerMessage(2, LogLevel.Warning,
            "Requests for the host {Host} were refused: this server listens only on loopback. To allow the name, add it to AllowedHosts.")]
        public static partial void HostRefused(ILogger logger, string host);
    }
}
