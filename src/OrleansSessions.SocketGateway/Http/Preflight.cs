namespace OrleansSessions.SocketGateway.Http;

/// <summary>
/// Endpoint metadata: the endpoint answers a browser's question before the request, which carries no token. Only this library can add it, so that
/// no convention of a host lets strangers in.
/// </summary>
internal sealed record Preflight;
