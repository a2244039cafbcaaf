using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>Runs the unit tests of the page's session client, which are written in JavaScript.</summary>
public sealed class PageModuleTests
{
    private const int OldestNode = 20;

    [Fact]
    public async Task SessionClient_PassesItsOwnTests()
    {
        var node = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(node is null, "Node is not on the path.");
        await using (var asked = ChildProcess.Start("node --version", node!, ["--version"]))
        {
            await asked.ExitAsync(TimeSpan.FromSeconds(20));
            var version = asked.Output.Trim();
            Assert.SkipUnless(
                int.TryParse(version.TrimStart('v').Split('.')[0], out var major) && major >= OldestNode, $"Node is {version}; {OldestNode} is needed.");
        }

        await using var tests = ChildProcess.Start(
            "node --test", node!, ["--test"], folder: Path.Combine(RepositoryFolder.Path, "clients", "javascript"));

        Assert.True(await tests.ExitAsync(TimeSpan.FromSeconds(60)) == 0, tests.Output);
    }
}
