using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>What a client wants, as its URL and headers say.</summary>
/// <param name="Resume">The epoch and number to go on from, or null to begin at the head.</param>
internal sealed record SocketRequest(string SessionId, WireProfile Profile, (long Epoch, long AfterSeq)? Resume)
{
    /// <summary>The grain's key. There are no tenants yet, so that part is empty.</summary>
    public string SessionKey { get; } = SessionKeys.Of(SessionId);
}

internal static class SessionKeys
{
    public static string Of(string sessionId) => "/" + sessionId;
}
