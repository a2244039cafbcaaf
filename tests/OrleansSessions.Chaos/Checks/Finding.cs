namespace OrleansSessions.Chaos.Checks;

/// <summary>What kind of promise was broken.</summary>
internal enum FindingKind
{
    /// <summary>Something that was accepted, or has a number, is not there.</summary>
    Missing,

    /// <summary>Something came or ran twice.</summary>
    Duplicated,

    /// <summary>Something did not end in time.</summary>
    Stuck,

    /// <summary>Something differs from what the question and the protocol say.</summary>
    Wrong,
}

/// <summary>A broken promise.</summary>
/// <param name="Subject">The session, or the process.</param>
internal sealed record Finding(FindingKind Kind, string Subject, string Detail)
{
    public override string ToString() => $"{Kind.ToString().ToUpperInvariant()} in {Subject}: {Detail}";
}
