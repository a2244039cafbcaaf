namespace OrleansSessions.SocketGateway.Access;

/// <summary>Endpoint metadata: what a caller must be allowed to do.</summary>
internal sealed record NeedsRight(SessionRights Right);
