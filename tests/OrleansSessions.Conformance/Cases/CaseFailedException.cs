namespace OrleansSessions.Conformance.Cases;

/// <summary>What was tried does not keep to the protocol.</summary>
internal sealed class CaseFailedException(string expected, string got) : Exception($"Expected {expected}; got {got}.")
{
    public string Expected { get; } = expected;

    public string Got { get; } = got;
}
