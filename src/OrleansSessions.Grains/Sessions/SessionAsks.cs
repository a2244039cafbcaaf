using Microsoft.Extensions.Logging;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Questions;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Asks one question, from its limits to its write. What is refused, or fails, has changed nothing.</summary>
internal sealed partial class SessionAsks(
    SessionActivation activation, Session session, SessionEffects effects, SessionQuota quota, UnaskedStay stay, SocketGatewayOutboxes outboxes)
{
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task<AskReply> AskAsync(AskRequest request)
    {
        var reply = await DecideAsync(request);
        if (reply.Outcome != AskOutcome.Accepted)
        {
            LogMessages.NotAccepted(activation.Logger, activation.Key, reply.QuestionId, reply.Outcome);
            return reply;
        }

        try
        {
            await effects.ApplyAskAsync(session.Find(reply.QuestionId)!);
        }
        catch (StoreUnavailableException)
        {
            // It was taken back, unless its write goes on and took too long for its caller.
            quota.Settle();
            if (session.IsOpen(reply.QuestionId))
            {
                quota.NoteAsked(request.Question);
            }

            throw;
        }

        quota.NoteAsked(request.Question);
        LogMessages.Accepted(activation.Logger, activation.Key, reply.QuestionId, reply.Position);
        return reply;
    }

    private async ValueTask<AskReply> DecideAsync(AskRequest request)
    {
        using var awake = stay.KeepAwake();
        try
        {
            // 1. What is known, or can never be asked.
            if (session.Admission.FindReply(request, activation.Now) is { } known)
            {
                return known;
            }

            // 2. The limits of its scope. Where nothing can be stored, no one is asked.
            await effects.ConfirmStoreAsync(isNeeded: false);
            if (await quota.FindRefusalAsync(request, IsOrphaned) is { } refusal)
            {
                return refusal;
            }

            // 3. What ends for it cannot be taken back, so the store must be there.
            await effects.ConfirmStoreAsync(isNeeded: session.Admission.WouldEnd(request, IsOrphaned));

            // 4. What has ended meanwhile is written first: then this question alone depends on its write.
            await effects.SettleAsync();
            await effects.ConfirmStoreAsync(isNeeded: false);
            return session.Admission.Admit(request, activation.Now, IsOrphaned);
        }
        finally
        {
            quota.Settle();
        }
    }

    private bool IsOrphaned(Question question) =>
        question.IsOrphanable && (question.IsConnectionGone || (question.Gateway is { } gateway && !outboxes.IsLive(gateway)));

    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} accepted at position {Position}")]
        public static partial void Accepted(ILogger logger, string sessionKey, string questionId, int position);

        [LoggerMessage(2, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} not accepted: {Outcome}")]
        public static partial void NotAccepted(ILogger logger, string sessionKey, string questionId, AskOutcome outcome);
    }
}
