namespace OrleansSessions.Conformance.Cases;

/// <summary>What became of one case.</summary>
/// <param name="Expected">What should have happened, or null if the case passed.</param>
/// <param name="Got">What happened instead, or why the case was skipped.</param>
/// <param name="Lines">What went both ways last.</param>
internal sealed record CaseResult(string Name, string Claim, CaseOutcome Outcome, TimeSpan Duration, string? Expected, string? Got,
    IReadOnlyList<string> Lines)
{
    /// <summary>What whoever is tried did where the protocol leaves a choice, or null if there was none or it did the usual.</summary>
    public string? Choice { get; init; }
}
