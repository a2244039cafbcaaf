namespace OrleansSessions.Conformance.Cases;

/// <summary>What the verbs do with their cases.</summary>
internal static class CaseList
{
    public const int CouldNotRun = 2;

    /// <summary>Returns the cases that <c>--only</c> leaves.</summary>
    public static IReadOnlyList<ConformanceCase<TScene>> Choose<TScene>(IReadOnlyList<ConformanceCase<TScene>> all, ConformanceOptions options) =>
        options.Only.Count == 0 ? all : [.. all.Where(each => options.Only.Any(part => each.Name.Contains(part, StringComparison.OrdinalIgnoreCase)))];

    public static async Task<int> PrintAsync<TScene>(IReadOnlyList<ConformanceCase<TScene>> cases, TextWriter output)
    {
        foreach (var each in cases)
        {
            await output.WriteLineAsync($"{each.Name,-34} {each.Claim}");
        }

        return 0;
    }

    /// <summary>0 if nothing failed and something was tried, 2 if there was no case.</summary>
    public static int ExitCode(IReadOnlyList<CaseResult> results) =>
        results.Count == 0 ? CouldNotRun : results.Any(result => result.Outcome == CaseOutcome.Failed) ? 1 : 0;
}
