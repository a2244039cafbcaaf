using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>Creates the profile that the client has chosen.</summary>
internal static class ProfileFactory
{
    private static readonly string[] Features = ["cancel", "queue", "replace", "auth", "reconnect"];

    public static IProfile Create(Follower follower) => follower.Request.Profile == WireProfile.V1
        ? new V1Profile(follower.Writer, (reply, isResuming) => Hello(follower, reply, isResuming), () => OnSessionRemoved(follower))
        : new BasicProfile(
            follower.Writer, follower.Gate, follower.Services.Options.MaxBasicFrameBytes, questionId => follower.FetchAsync(questionId), follower.Flush,
            () => OnSessionRemoved(follower));

    /// <summary>Called under the gate.</summary>
    private static void OnSessionRemoved(Follower follower) =>
        follower.BeginClose(CloseCodes.SessionRemoved, "The session was removed.", null, dropWaiting: false);

    private static HelloMessage Hello(Follower follower, AttachReply reply, bool isResuming)
    {
        var options = follower.Services.Options;
        return new()
        {
            Session = follower.Request.SessionId,
            Connection = follower.Id,
            Responder = reply.Responder,
            Epoch = Epochs.ToWire(reply.Epoch),
            Seq = reply.Seq,
            Open = reply.Open,
            IsResuming = isResuming,
            IsStored = reply.IsStored,
            ResumeTtlMs = (long)reply.Retention.TotalMilliseconds,
            OldestSeq = reply.OldestSeq,
            HeartbeatMs = (int)options.HeartbeatInterval.TotalMilliseconds,
            MaxMessageBytes = options.MaxMessageBytes,
            MaxQuestionBytes = follower.Services.Sessions.MaxQuestionBytes,
            Limits = follower.Services.Limits.Of(follower.Token.Access),
            TokenExpiresInMs = follower.Token.ExpiresInMs,
            ReconnectMinMs = (int)options.ReconnectMin.TotalMilliseconds,
            ReconnectMaxMs = (int)options.ReconnectMax.TotalMilliseconds,
            Features = Features,
        };
    }
}
