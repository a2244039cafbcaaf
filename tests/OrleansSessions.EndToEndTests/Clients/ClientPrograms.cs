using System.Diagnostics;
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

    private const string NoDriver = "There is no driver";

    /// <summary>Returns how to start a client, or null and why it cannot be started here.</summary>
    public static (Func<IClientUnderTest>? Start, string? Missing) Find(string client) => client switch
    {
        Reference => (() => new ReferenceClientUnderTest(), null),
        // Node 22 has sockets of its own; an older one needs the package ws.
        JavaScript => Driver(
            "node", InRepository("clients", "javascript", "conformance.js"), "a WebSocket (Node 22, or the package ws in clients/javascript)",
            "--input-type=module", "-e", "globalThis.WebSocket ?? (await import('ws'))"),
        Python => Driver("python3", InRepository("clients", "python", "conformance.py"), "the package websockets", "-c", "import websockets"),
        DotNet => File.Exists(InRepository("tests", "OrleansSessions.Conformance", "DotNetClient.cs"))
            ? (() => ClientProcess.Start([ChildProcess.DotnetPath, Path.Combine(AppContext.BaseDirectory, "OrleansSessions.Conformance.dll"), "play"]), null)
            : (null, $"{NoDriver} for the .NET client."),
        _ => throw new ArgumentOutOfRangeException(nameof(client), client, "No such client."),
    };

    /// <summary>Returns how to start a client. Skips the test if that is not possible; on a build server that is a failure.</summary>
    public static Func<IClientUnderTest> Require(string client)
    {
        var (start, missing) = Find(client);
        if (missing is not null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true" && !missing.StartsWith(NoDriver, StringComparison.Ordinal),
                $"{missing} CI must run this test.");
            Assert.Skip(missing);
        }

        return start!;
    }

    /// <param name="need">What the driver needs beside the program, for people.</param>
    /// <param name="probe">The arguments with which the program ends with 0 if it has that.</param>
    private static (Func<IClientUnderTest>? Start, string? Missing) Driver(string program, string script, string need, params string[] probe)
    {
        if (!File.Exists(script))
        {
            return (null, $"{NoDriver} {Path.GetFileName(script)}.");
        }

        if (ProgramPath.Find(program) is not { } path)
        {
            return (null, $"{program} is not on the path.");
        }

        var start = new ProcessStartInfo(path, probe) { WorkingDirectory = Path.GetDirectoryName(script), RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? (() => ClientProcess.Start([path, script]), null) : (null, $"{program} lacks {need}.");
    }

    private static string InRepository(params string[] parts) => Path.Combine([RepositoryFolder.Path, .. parts]);
}
