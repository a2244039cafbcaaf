namespace OrleansSessions.Sessions;

/// <summary>Asks whether no question is open.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.CanAcceptQuestionRequest")]
public sealed record CanAcceptQuestionRequest : SessionRequest;
