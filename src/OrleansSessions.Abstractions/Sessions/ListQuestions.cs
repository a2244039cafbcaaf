namespace OrleansSessions.Sessions;

/// <summary>Describes the last questions.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ListQuestionsRequest")]
public sealed record ListQuestionsRequest : SessionRequest
{
    /// <summary>How many at most, from 1.</summary>
    [Id(0)]
    public int Limit { get; init; }
}
