namespace OrleansSessions.Benchmarks.Servers;

/// <summary>A server under measurement is not there to be measured. Its last lines of output are in the message.</summary>
internal sealed class ServerStartException(string message) : Exception(message);
