using OrleansSessions.Conformance;
using OrleansSessions.Conformance.Cases;
using Xunit;

namespace OrleansSessions.EndToEndTests.Clients;

/// <summary>Runs of the conformance tool in this process.</summary>
internal static class ConformanceRuns
{
    /// <summary>Options with a patience for machines that are busy with other tests.</summary>
    public static ConformanceOptions Options(string verb, params Uri[] servers) => new()
    {
        Verb = verb,
        Servers = servers,
        AtATime = verb == "server" ? 8 : 4,
        Patience = TimeSpan.FromSeconds(20),
    };

    /// <summary>Fails with what the tool printed unless all cases passed. Skipped ones are allowed if they are listed.</summary>
    public static void HavePassed(IReadOnlyList<CaseResult> results, StringWriter output, params string[] skipped)
    {
        Assert.True(results.Count > 0 && results.All(result => result.Outcome != CaseOutcome.Failed), output.ToString());
        Assert.Equal(skipped.Order(StringComparer.Ordinal),
            results.Where(result => result.Outcome == CaseOutcome.Skipped).Select(result => result.Name).Order(StringComparer.Ordinal));
    }
}
