namespace OrleansSessions.Benchmarks.Servers;

/// <summary>A measured server did not start. The message contains its last lines of output.</summary>
internal sealed class ServerStartException(string message) : Exception(message);
