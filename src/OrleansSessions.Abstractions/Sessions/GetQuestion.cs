namespace OrleansSessions.Sessions;

/// <summary>Describes one question.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.GetQuestionRequest")]
public sealed record GetQuestionRequest : SessionRequest
{
    [Id(0)]
    public required string QuestionId { get; init; }
}
