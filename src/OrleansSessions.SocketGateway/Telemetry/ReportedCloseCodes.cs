namespace OrleansSessions.SocketGateway.Telemetry;

/// <summary>Close codes that no frame can contain. They report how a connection ended.</summary>
internal static class ReportedCloseCodes
{
    /// <summary>The peer's close frame contained no code.</summary>
    public const int NoCode = 1005;

    /// <summary>The peer left without a close frame.</summary>
    public const int Broken = 1006;
}
