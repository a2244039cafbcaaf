using OrleansSessions.Conformance.Clients;
using OrleansSessions.Conformance.Servers;

namespace OrleansSessions.Conformance.Resuming;

/// <summary>The servers and the client of the script.</summary>
/// <param name="Servers">One server, or two of one cluster.</param>
/// <param name="StartClient">Starts the client that is tried.</param>
/// <param name="LoseServer">Ends the first one of the servers in the middle of an answer, or null if none is lost.</param>
internal sealed record ResumeTarget(IReadOnlyList<ServerTarget> Servers, Func<IClientUnderTest> StartClient, Func<Task>? LoseServer = null);
