using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>A Python that the package of <c>clients/python</c> can run in.</summary>
internal static class PythonInterpreter
{
    /// <summary>Why <see cref="Found"/> has no path.</summary>
    public const string Missing = "There is no python3 (3.9 or later) that can import websockets, neither on the path nor in /usr/bin.";

    private const string Check = "import sys, websockets; assert sys.version_info >= (3, 9)";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>The path of Python 3.9 or later that has websockets, or null.</summary>
    public static Task<string?> Found { get; } = FindAsync();

    /// <summary>Returns <see cref="Found"/>. Skips the test if there is none; on a build server that is a failure.</summary>
    public static async Task<string> RequireAsync()
    {
        var path = await Found;
        if (path is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", $"{Missing} CI must run this test.");
            Assert.Skip(Missing);
        }

        return path!;
    }

    /// <summary>Runs Python until it ends, and fails the test with its output if it fails.</summary>
    public static async Task<string> RunAsync(IEnumerable<string> arguments, string folder, IReadOnlyDictionary<string, string>? environment = null)
    {
        await using var run = Start(await RequireAsync(), arguments, folder, environment);
        Assert.True(await run.ExitAsync(TimeSpan.FromSeconds(90)) == 0, run.Output);
        return run.Output;
    }

    /// <summary>Starts Python with the package on its path.</summary>
    public static ChildProcess Start(string python, IEnumerable<string> arguments, string folder, IReadOnlyDictionary<string, string>? environment = null) =>
        ChildProcess.Start("python", python, arguments, Surroundings(environment), folder);

    /// <summary>The environment in which a script finds the package, and leaves no files in the repository.</summary>
    private static Dictionary<string, string> Surroundings(IReadOnlyDictionary<string, string>? environment)
    {
        // A caller's PYTHONPATH can choose another version of websockets.
        var others = (Environment.GetEnvironmentVariable("PYTHONPATH") ?? "").Split(Path.PathSeparator);
        return new(environment ?? new Dictionary<string, string>())
        {
            ["PYTHONPATH"] = string.Join(Path.PathSeparator, [PythonPackage.Folder, .. others]),
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["PYTHONIOENCODING"] = "utf-8",
        };
    }

    private static async Task<string?> FindAsync()
    {
        var name = OperatingSystem.IsWindows() ? "python3.exe" : "python3";
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/bin");
        foreach (var path in folders.Select(folder => Path.Combine(folder, name)).Where(File.Exists).Distinct())
        {
            await using var check = Start(path, ["-c", Check], Path.GetTempPath());
            if (await check.ExitAsync(Patience) == 0)
            {
                return path;
            }
        }

        return null;
    }
}
