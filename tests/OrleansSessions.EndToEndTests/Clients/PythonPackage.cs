using OrleansSessions.TestKit.Processes;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The Python package <c>orleans-sessions</c>, and the scripts that use it with a real server.</summary>
internal static class PythonPackage
{
    public static string Folder => Path.Combine(RepositoryFolder.Path, "clients", "python");

    private static string Scripts => Path.Combine(RepositoryFolder.Path, "tests", "OrleansSessions.EndToEndTests", "python", "package");

    /// <summary>Runs one of the scripts to its end.</summary>
    public static Task<string> RunAsync(string script, params (string Name, string Value)[] environment) =>
        PythonInterpreter.RunAsync([script], Scripts, environment.ToDictionary(variable => variable.Name, variable => variable.Value));

    /// <summary>Starts one of the scripts.</summary>
    public static async Task<ChildProcess> StartAsync(string script, params string[] arguments) =>
        PythonInterpreter.Start(await PythonInterpreter.RequireAsync(), [script, .. arguments], Scripts);
}
