namespace OrleansSessions.Sessions;

/// <summary>Removes a session.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.RemoveRequest")]
public sealed record RemoveRequest : SessionRequest;
