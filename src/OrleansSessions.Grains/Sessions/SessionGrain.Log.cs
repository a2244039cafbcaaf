using Microsoft.Extensions.Logging;
using OrleansSessions.Diagnostics;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

internal sealed partial class SessionGrain
{
    private static partial class LogMessages
    {
        [LoggerMessage(1, LogLevel.Debug, "Session {SessionKey} is awake in epoch {Epoch} at {Seq}")]
        public static partial void Activated(ILogger logger, string sessionKey, long epoch, long seq);

        [LoggerMessage(2, LogLevel.Debug, "Session {SessionKey} goes to sleep: {Reason}")]
        public static partial void Deactivated(ILogger logger, string sessionKey, DeactivationReasonCode reason);

        [LoggerMessage(3, LogLevel.Debug, "Session {SessionKey}: socket gateway {Gateway} registered, {Connections} connections")]
        public static partial void Attached(ILogger logger, string sessionKey, string gateway, int connections);

        [LoggerMessage(4, LogLevel.Debug, "Session {SessionKey}: socket gateway {Gateway} has {Connections} connections left")]
        public static partial void Detached(ILogger logger, string sessionKey, string gateway, int connections);

        [LoggerMessage(5, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} accepted at position {Position}")]
        public static partial void Accepted(ILogger logger, string sessionKey, string questionId, int position);

        [LoggerMessage(6, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} not accepted: {Outcome}")]
        public static partial void NotAccepted(ILogger logger, string sessionKey, string questionId, AskOutcome outcome);

        [LoggerMessage(7, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} ended {Status} ({Reason})")]
        public static partial void Ended(ILogger logger, string sessionKey, string questionId, QuestionStatus status, string? reason);

        [LoggerMessage(8, LogLevel.Information, "Session {SessionKey} removed")]
        public static partial void Removed(ILogger logger, string sessionKey);

        [LoggerMessage(9, LogLevel.Warning, "Session {SessionKey}: a responder did not stop within {Patience} and is left behind")]
        public static partial void ResponderLingers(ILogger logger, string sessionKey, TimeSpan patience);

        [LoggerMessage(10, LogLevel.Debug, "Session {SessionKey}: question {QuestionId} waits, for {Count} earlier responders have not let go yet")]
        public static partial void TooManyLingering(ILogger logger, string sessionKey, string questionId, int count);

        [LoggerMessage(11, LogLevel.Warning, "Session {SessionKey}: write {Attempt} failed and is tried again")]
        public static partial void StoreRetried(ILogger logger, string sessionKey, int attempt, LoggedException fault);

        [LoggerMessage(12, LogLevel.Error, "Session {SessionKey}: its state could not be written; the activation is given up")]
        public static partial void StoreFailed(ILogger logger, string sessionKey, LoggedException fault);

        [LoggerMessage(13, LogLevel.Error, "Session {SessionKey}: the answer to question {QuestionId} could not be taken")]
        public static partial void FollowFailed(ILogger logger, string sessionKey, string questionId, LoggedException fault);

        [LoggerMessage(14, LogLevel.Error, "Session {SessionKey}: what follows the end of a question failed")]
        public static partial void CommitFailed(ILogger logger, string sessionKey, LoggedException fault);
    }
}
