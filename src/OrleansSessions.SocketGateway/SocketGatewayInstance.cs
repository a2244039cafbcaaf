using System.Security.Cryptography;

namespace OrleansSessions.SocketGateway;

/// <summary>This process as the silos know it. A new id at each start: what was sent to the one before must not reach this one.</summary>
/// <param name="host">The silo that shares the process, or null.</param>
public sealed class SocketGatewayInstance(SiloAddress? host)
{
    public string Id { get; } = "gw-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public SiloAddress? Host { get; } = host;
}
