using System.Globalization;
using Microsoft.Extensions.Options;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// How the file descriptors that this process may open are shared out. A .NET process that runs out of them is aborted, so what listens must stop before:
/// sockets by <see cref="Sockets"/>, and connections that are no socket (yet) by <see cref="PlainConnections"/>, which the web server has to be told.
/// Whatever counts them, counts them after they were accepted: <see cref="Accepted"/> bounds all of them before.
/// </summary>
public sealed class DescriptorBudget
{
    // A server with its silo has about 300 open once it runs, most of them assemblies; the rest is for the cluster, the store, and connections
    // that were accepted and not counted yet, of which there are more where more may be open.
    private const int OwnReserve = 400;
    private const int ReserveShare = 32;

    // Upgrades, HTTP requests and health checks need room while all sockets are taken.
    private const int PlainShare = 6;
    private const int MinPlain = 64;

    /// <summary>For this process as it runs: .NET has raised its limit as far as it may by then.</summary>
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

    /// <summary>How many descriptors the process may open, or null where the system reports none.</summary>
    public int? Limit { get; }

    /// <summary>How many sockets fit: <see cref="SocketGatewayOptions.MaxConnections"/>, or fewer.</summary>
    public int Sockets { get; }

    /// <summary>How many other connections fit beside them, over all endpoints of the web server; null where there is no limit.</summary>
    public int? PlainConnections { get; }

    /// <summary>
    /// How many connections may be open at once, the counted ones and those that are about to be counted or refused; null where there is no limit.
    /// </summary>
    public int? Accepted { get; }

    private static int? ReadLimit()
    {
        const string File = "/proc/self/limits";
        const string Row = "Max open files";
        if (!OperatingSystem.IsLinux() || !System.IO.File.Exists(File))
        {
            return null;
        }

        // The columns are: name, soft limit, hard limit, unit. The soft one may be the word "unlimited".
        var row = System.IO.File.ReadLines(File).FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        var soft = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? (int)Math.Min(limit, int.MaxValue) : null;
    }
}
