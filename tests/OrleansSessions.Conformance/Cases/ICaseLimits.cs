namespace OrleansSessions.Conformance.Cases;

/// <summary>What waits in a case need.</summary>
internal interface ICaseLimits
{
    Transcript Transcript { get; }

    Patience Patience { get; }

    /// <summary>What a program that is tried printed for people, or nothing.</summary>
    string Remarks { get; }
}
