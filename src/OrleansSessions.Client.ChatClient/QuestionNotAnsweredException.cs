namespace OrleansSessions.Client.ChatClient;

/// <summary>
/// The question ended without an answer that a chat client can return: it failed, its time was over, or another client cancelled it. The text that there was
/// is in <see cref="End"/>.
/// </summary>
public sealed class QuestionNotAnsweredException : SessionException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="end">How the question ended.</param>
    public QuestionNotAnsweredException(AnswerEnd end)
        : base((end ?? throw new ArgumentNullException(nameof(end))).Reason ?? "not_answered", end.Message ?? $"The question ended as {end.Status}.")
    {
        End = end;
    }

    /// <summary>How the question ended. <see cref="AnswerEnd.Reason"/> is the code of this exception.</summary>
    public AnswerEnd End { get; }
}
