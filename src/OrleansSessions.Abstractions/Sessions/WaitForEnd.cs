namespace OrleansSessions.Sessions;

/// <summary>Waits until a question has ended.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.WaitForEndRequest")]
public sealed record WaitForEndRequest : SessionRequest
{
    [Id(0)]
    public required string QuestionId { get; init; }

    /// <summary>How long to wait at most.</summary>
    [Id(1)]
    public TimeSpan Patience { get; init; }
}
