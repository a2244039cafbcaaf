using System.Xml.Linq;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>The Python package on its own.</summary>
public sealed class PythonPackageTests
{
    [Fact]
    public async Task Package_PassesItsOwnTests() =>
        await PythonInterpreter.RunAsync(["-W", "error", "-m", "unittest", "discover", "-s", "tests", "-t", "."], PythonPackage.Folder);

    [Fact]
    public async Task Package_IsTyped_AndNeedsNothingNewerThanPython39()
    {
        var mypy = RequiredProgram.Find("mypy");
        using var cache = new TemporaryFolder();
        string[] arguments = ["--strict", "--python-version", "3.9", "--cache-dir", cache.Path, "orleans_sessions", "conformance.py"];

        await using var check = ChildProcess.Start("mypy", mypy, arguments, folder: PythonPackage.Folder);

        Assert.True(await check.ExitAsync(TimeSpan.FromSeconds(90)) == 0, check.Output);
    }

    [Fact]
    public async Task Package_HasTheVersionOfTheLibraries()
    {
        var project = await File.ReadAllTextAsync(Path.Combine(PythonPackage.Folder, "pyproject.toml"), TestContext.Current.CancellationToken);
        var libraries = XDocument.Load(Path.Combine(RepositoryFolder.Path, "Directory.Build.props")).Descendants("VersionPrefix").Single().Value;

        Assert.Contains($"\nversion = \"{libraries}\"\n", project, StringComparison.Ordinal);
    }

    private sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mypy-");

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
