namespace OrleansSessions.Responders.ChatClient;

/// <summary>The key of a responder's client in the container. A type of its own, because a host can have a keyed client of the same name.</summary>
internal sealed record ChatClientKey(string ResponderName);
