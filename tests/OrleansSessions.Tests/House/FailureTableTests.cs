using System.Text.RegularExpressions;
using OrleansSessions.TestKit.Processes;
using Xunit;

namespace OrleansSessions.Tests.House;

/// <summary>Each row of the failure table in <c>docs/architecture.md</c> names the test that shows it.</summary>
public sealed partial class FailureTableTests
{
    [Fact]
    public void EveryRow_NamesATestThatExists()
    {
        var rows = File.ReadLines(Path.Combine(RepositoryFolder.Path, "docs", "architecture.md"))
            .SkipWhile(line => !line.StartsWith("| what fails |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|')).ToList();
        var tests = Directory.GetFiles(Path.Combine(RepositoryFolder.Path, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(path => TestName().Matches(File.ReadAllText(path))).Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);

        var untested = rows.Where(row => !NamedTest().Matches(row).Any(match => tests.Contains(match.Groups["name"].Value))).ToList();

        Assert.True(rows.Count > 50, $"The table has {rows.Count} rows.");
        Assert.Empty(untested);
    }

    [GeneratedRegex(@"\b(?:Task|void) (?<name>\w+_\w+)\(")]
    private static partial Regex TestName();

    [GeneratedRegex(@"`(?<name>\w+_\w+)` \|$")]
    private static partial Regex NamedTest();
}
