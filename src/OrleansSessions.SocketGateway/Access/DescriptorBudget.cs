using System.Globalization;
using Microsoft.Extensions.Options;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// Divides the file descriptors that this process may open. A .NET process that runs out of them is aborted, so connections must be limited before that
/// happens: sockets by <see cref="Sockets"/>, and all other connections by <see cref="PlainConnections"/>, which the web server must be configured with.
/// Both are counted only after a connection was accepted, so <see cref="Accepted"/> limits all accepted connections.
/// </summary>
public sealed class DescriptorBudget
{
    // A running server with its silo has about 300 descriptors open, most of them assemblies. The rest is for the cluster, the store, and connections that
    // were accepted but not counted yet. The larger the limit, the more such connections there can be.
    private const int OwnReserve = 400;
    private const int ReserveShare = 32;

    // Upgrades, HTTP requests and health checks need room even if all sockets are in use.
    private const int PlainShare = 6;
    private const int MinPlain = 64;

    /// <summary>Reads the limit of this process. .NET has already raised it as far as it can.</summary>
    public DescriptorBudget(IOptions<SocketGatewayOptions> options)
        : this(ReadLimit(), options.Value.MaxConnections)
    {
    }

    internal DescriptorBudget(int? limit, int maxConnections)
    {
        (Limit, Sockets) = (limit, maxConnections);
        if (limit is { } descriptors)
        {
            var burst = descriptors / ReserveShare;
            var free = Math.Max(2, descriptors - OwnReserve - burst);
            var plain = Math.Max(free / PlainShare, Math.Min(MinPlain, free / 2));
            Sockets = Math.Min(maxConnections, free - plain);
            PlainConnections = free - Sockets;
            Accepted = free + burst;
        }
    }

    /// <summary>The number of descriptors that the process may open, or null if the system does not report it.</summary>
    public int? Limit { get; }

    /// <summary>The maximum number of sockets: <see cref="SocketGatewayOptions.MaxConnections"/>, or fewer.</summary>
    public int Sockets { get; }

    /// <summary>The maximum number of other connections, over all endpoints of the web server; null if there is no limit.</summary>
    public int? PlainConnections { get; }

    /// <summary>The maximum number of open connections, including those that are not counted or refused yet; null if there is no limit.</summary>
    public int? Accepted { get; }

    private static int? ReadLimit()
    {
        const string File = "/proc/self/limits";
        const string Row = "Max open files";
        if (!OperatingSystem.IsLinux() || !System.IO.File.Exists(File))
        {
            return null;
        }

        // The columns are: name, soft limit, hard limit, unit. The soft limit can be the word "unlimited".
        var row = System.IO.File.ReadLines(File).FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        var soft = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? (int)Math.Min(limit, int.MaxValue) : null;
    }
}
