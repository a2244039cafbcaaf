using System.Net.Sockets;
using System.Security.Cryptography;
using OrleansSessions.Server.Clustering;
using OrleansSessions.Storage.Sqlite;
using StackExchange.Redis;

namespace OrleansSessions.Server.Hosting;

/// <summary>Tells faults that the operator can fix from those of this program.</summary>
internal static class StartFault
{
    // What these throw while the server starts is about their settings: addresses, limits, certificates and log levels, which this server passes on to them.
    private static readonly string[] Configured =
    [
        "Microsoft.AspNetCore.Server.Kestrel.Core", "Microsoft.Extensions.Configuration.Binder", "Microsoft.Extensions.Logging.Configuration",
    ];

    /// <summary>Returns the reason for people, or null if the fault is a bug, whose stack trace is needed.</summary>
    public static string? Explain(Exception fault) => fault switch
    {
        RedisConnectionException redis => RedisStartFault.Explain(redis),
        SqliteStorageException file => FileStartFault.Explain(file),
        IOException { InnerException: not null } or FileNotFoundException or DirectoryNotFoundException => fault.Message,
        FormatException or OrleansConfigurationException => fault.Message,

        // A file that is not JSON: the outer message names the file, the inner one the place.
        InvalidDataException => $"{fault.Message} {fault.GetBaseException().Message}",
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } =>
            $"An address to listen on (--urls, or Kestrel:Endpoints) is not one of this machine: {fault.Message}.",
        CryptographicException => $"A certificate of section Kestrel cannot be used: {fault.Message}",
        ArgumentOutOfRangeException { ParamName: "port" } => "The port of an address to listen on (--urls, or Kestrel:Endpoints) must be from 0 to 65535.",
        InvalidOperationException when Configured.Contains(fault.Source, StringComparer.Ordinal) => fault.Message,
        _ => null,
    };
}
