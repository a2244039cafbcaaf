using System.Globalization;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.EndToEndTests.Page;

/// <summary>Runs the unit tests of the JavaScript client, which the page uses. They are written in JavaScript, and simulate a browser.</summary>
public sealed class PageModuleTests
{
    private const int OldestNode = 20;

    [Fact]
    public async Task JavaScriptClient_PassesItsOwnTests()
    {
        var node = RequiredProgram.Find("node");
        await using (var asked = ChildProcess.Start("node --version", node, ["--version"]))
        {
            await asked.ExitAsync(TimeSpan.FromSeconds(20));
            var version = asked.Output.Trim();
            Assert.SkipUnless(
                int.TryParse(version.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture, out var major) && major >= OldestNode,
                $"Node is {version}; {OldestNode} is needed.");
        }

        await using var tests = ChildProcess.Start(
            "node --test", node, ["--test"], folder: Path.Combine(RepositoryFolder.Path, "clients", "javascript"));

        Assert.True(await tests.ExitAsync(TimeSpan.FromSeconds(60)) == 0, tests.Output);
    }
}
