namespace OrleansSessions.Responders;

/// <summary>What becomes of a running question whose process has died. A responder declares it in <see cref="IResponder.Recovery"/>.</summary>
public enum RecoveryMode
{
    /// <summary>
    /// The question ends as <c>failed</c> with <c>responder_lost</c>, and keeps the text that was saved. For a responder whose work must not be done twice.
    /// </summary>
    Fail = 0,

    /// <summary>
    /// The responder is asked again, at most <c>Sessions:MaxAttempts</c> times in all. The text so far is withdrawn: clients receive a snapshot without it.
    /// </summary>
    AskAgain = 1,

    /// <summary>
    /// The responder is asked again, and continues after <see cref="ResponderContext.AnswerSoFar"/>. It is given up after <c>Sessions:MaxAttempts</c> attempts
    /// that saved no more text.
    /// </summary>
    Continue = 2,
}
