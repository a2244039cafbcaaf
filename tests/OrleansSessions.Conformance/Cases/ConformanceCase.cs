namespace OrleansSessions.Conformance.Cases;

/// <summary>One claim of docs/protocol.md that is tried.</summary>
/// <param name="Name">Begins with the number of the section, followed by a dot.</param>
/// <param name="Claim">What the protocol says, for people.</param>
/// <param name="RunAsync">Throws <see cref="CaseFailedException"/> if the claim does not hold.</param>
internal sealed record ConformanceCase<TScene>(string Name, string Claim, Func<TScene, Task> RunAsync)
{
    public string Section => Name[..Name.IndexOf('.', StringComparison.Ordinal)];
}
