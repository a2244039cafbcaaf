using System.Security.Cryptography;

namespace OrleansSessions.SocketGateway;

/// <summary>Identifies this process to the silos. Each start creates a new id, because items for an earlier process must not reach this one.</summary>
/// <param name="host">The silo in the same process, or null.</param>
public sealed class SocketGatewayInstance(SiloAddress? host)
{
    public string Id { get; } = "gw-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public SiloAddress? Host { get; } = host;
}
