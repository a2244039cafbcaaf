namespace OrleansSessions.Client;

/// <summary>
/// The server does not know the question, although it accepted it before: the process that had it ended, and the session was not stored, or the session
/// was removed. The client never asks such a question again by itself. The caller can.
/// </summary>
public sealed class QuestionLostException : SessionException
{
    /// <summary>The value of <see cref="SessionException.Code"/>.</summary>
    public const string LostCode = "question_lost";

    /// <summary>Creates the exception.</summary>
    public QuestionLostException(string questionId)
        : base(LostCode, $"The server no longer knows the question '{questionId}'. It was not asked again; ask it again if you want to.")
    {
        QuestionId = questionId;
    }

    /// <summary>The question.</summary>
    public string QuestionId { get; }
}
