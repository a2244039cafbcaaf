using System.Runtime.CompilerServices;

namespace OrleansSessions.EndToEndTests.Servers;

/// <summary>What all processes that the tests start inherit.</summary>
internal static class ServerEnvironment
{
    /// <summary>
    /// Profiling code for later optimisation does not pay for a server that lives for seconds: it costs about a tenth of the 3 s of processor time that a
    /// start takes, and the tests start some hundred servers.
    /// </summary>
    [ModuleInitializer]
    internal static void WithoutProfiling() => Environment.SetEnvironmentVariable("DOTNET_TieredPGO", "0");
}
