namespace OrleansSessions.Conformance.Cases;

internal enum CaseOutcome
{
    Passed,
    Failed,
    Skipped,
}
