namespace OrleansSessions.Conformance.Servers;

/// <summary>The server answered the request for a socket with a status.</summary>
internal sealed class UpgradeRefusedException(int status, Exception inner) : Exception($"The upgrade was answered with {status}.", inner)
{
    public int Status { get; } = status;
}
