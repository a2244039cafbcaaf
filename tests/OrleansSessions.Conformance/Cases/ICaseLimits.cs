namespace OrleansSessions.Conformance.Cases;

/// <summary>What waits in a case need.</summary>
internal interface ICaseLimits
{
    Transcript Transcript { get; }

    Patience Patience { get; }
}
