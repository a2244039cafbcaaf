using OrleansSessions.Conformance.Clients;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The clients of this repository, each as a program that the conformance tool starts.</summary>
internal static class ClientPrograms
{
    public const string Reference = "reference";
    public const string JavaScript = "javascript";
    public const string Python = "python";
    public const string DotNet = "dotnet";

    /// <summary>Returns how to start a client, or null and why it cannot be started here.</summary>
    public static (Func<IClientUnderTest>? Start, string? Missing) Find(string client) => client switch
    {
        Reference => (() => new ReferenceClientUnderTest(), null),
        JavaScript => Driver("node", InRepository("clients", "javascript", "conformance.js")),
        Python => Driver("python3", InRepository("clients", "python", "conformance.py")),
        DotNet => File.Exists(InRepository("tests", "OrleansSessions.Conformance", "DotNetClient.cs"))
            ? (() => ClientProcess.Start([ChildProcess.DotnetPath, Path.Combine(AppContext.BaseDirectory, "OrleansSessions.Conformance.dll"), "play"]), null)
            : (null, "There is no driver for the .NET client."),
        _ => throw new ArgumentOutOfRangeException(nameof(client), client, "No such client."),
    };

    /// <summary>Returns how to start a client. Skips the test if that is not possible; on a build server that is a failure.</summary>
    public static Func<IClientUnderTest> Require(string client)
    {
        var (start, missing) = Find(client);
        if (missing is not null)
        {
            Assert.False(
                Environment.GetEnvironmentVariable("CI") == "true" && missing.EndsWith("path.", StringComparison.Ordinal), $"{missing} CI must run this test.");
            Assert.Skip(missing);
        }

        return start!;
    }

    private static (Func<IClientUnderTest>? Start, string? Missing) Driver(string program, string script) =>
        !File.Exists(script) ? (null, $"There is no driver {Path.GetFileName(script)}.")
        : ProgramPath.Find(program) is { } path ? (() => ClientProcess.Start([path, script]), null)
        : (null, $"{program} is not on the path.");

    private static string InRepository(params string[] parts) => Path.Combine([RepositoryFolder.Path, .. parts]);
}
