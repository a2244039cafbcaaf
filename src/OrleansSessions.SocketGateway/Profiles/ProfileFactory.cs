using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Following;

namespace OrleansSessions.SocketGateway.Profiles;

/// <summary>Creates the profile that the client has chosen.</summary>
internal static class ProfileFactory
{
    private static readonly string[] Features = ["cancel", "queue", "replace"];

    public static IProfile Create(Follower follower) => follower.Request.Profile == WireProfile.V1
        ? new V1Profile(follower.Writer, (reply, isResuming) => Hello(follower, reply, isResuming), () => OnSessionRemoved(follower))
        : new BasicProfile(
            follower.Writer, follower.Gate, follower.Services.Options.MaxBasicFrameBytes, questionId => follower.FetchAsync(questionId), follower.Flush,
            () => OnSessionRemoved(follower));

    /// <summary>Called under the gate.</summary>
    private static void OnSessionRemoved(Follower follower) =>
        follower.BeginClose(CloseCodes.SessionRemoved, "The session was removed.", dropWaiting: false);

    private static HelloMessage Hello(Follower follower, AttachReply reply, bool isResuming)
    {
        var options = follower.Services.Options;
        return new(
            follower.Request.SessionId, follower.Id, reply.Responder, Epochs.ToWire(reply.Epoch), reply.Seq, reply.Open, isResuming,
            (int)options.HeartbeatInterval.TotalMilliseconds, options.MaxMessageBytes, follower.Services.Sessions.MaxQuestionBytes,
            (int)options.ReconnectMin.TotalMilliseconds, (int)options.ReconnectMax.TotalMilliseconds, Features);
    }
}
