using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Sockets;

/// <summary>What a client wants, as its URL and headers say.</summary>
/// <param name="Resume">The epoch and number to go on from, or null to begin at the head.</param>
internal sealed record SocketRequest(string SessionId, WireProfile Profile, (long Epoch, long AfterSeq)? Resume)
{
    /// <summary>The grain's key. There is no authentication yet, so every session is in the anonymous scope.</summary>
    public string SessionKey { get; } = Sessions.SessionKey.Of(SessionScope.Anonymous, SessionId);
}
