using OrleansSessions.Conformance;
using OrleansSessions.Conformance.Clients;
using OrleansSessions.EndToEndTests.JavaScript;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The clients of this repository, each as a program that the conformance tool starts.</summary>
public sealed class ClientPrograms : IAsyncLifetime
{
    public const string Reference = "reference";
    public const string JavaScript = "javascript";
    public const string JavaScriptOverEvents = "javascript --events";
    public const string Python = "python";
    public const string DotNet = "dotnet";

    private readonly JavaScriptPackage _package = new();
    private string? _python;

    private string[] JavaScriptDriver => [NpmInstallation.Node!, Path.Combine(_package.Folder, "conformance.js")];

    public async ValueTask InitializeAsync()
    {
        await _package.InitializeAsync();
        _python = await PythonInterpreter.Found;
    }

    public ValueTask DisposeAsync() => _package.DisposeAsync();

    /// <summary>Returns how to start a client, or null and why it cannot be started here.</summary>
    internal (Func<IClientUnderTest>? Start, string? Missing) Find(string client) => client switch
    {
        Reference => (() => new ReferenceClientUnderTest(), null),
        JavaScript or JavaScriptOverEvents when _package.Missing is { } missing => (null, missing),
        JavaScript => (() => ClientProcess.Start(JavaScriptDriver), null),
        JavaScriptOverEvents => (() => ClientProcess.Start([.. JavaScriptDriver, "--events"]), null),
        Python when _python is null => (null, PythonInterpreter.Missing),
        Python => (() => ClientProcess.Start([_python, Path.Combine(RepositoryFolder.Path, "clients", "python", "conformance.py")]), null),
        // In this process, which saves the start of a runtime for each case.
        DotNet => (() => new InProcessClient((input, output) => new DotNetClient(input, output).RunAsync()), null),
        _ => throw new ArgumentOutOfRangeException(nameof(client), client, "No such client."),
    };

    /// <summary>Returns how to start a client. Skips the test if that is not possible; on a build server that is a failure.</summary>
    internal Func<IClientUnderTest> Require(string client)
    {
        var (start, missing) = Find(client);
        Assert.False(missing is not null && Environment.GetEnvironmentVariable("CI") == "true", $"{missing} CI must run this test.");
        Assert.SkipWhen(missing is not null, missing ?? "");
        return start!;
    }
}
