namespace OrleansSessions.Client;

/// <summary>The question has ended, but its text could not be read from the server after several tries. Read it later from the history.</summary>
public sealed class AnswerUnreadableException : SessionException
{
    /// <summary>The value of <see cref="SessionException.Code"/>.</summary>
    public const string UnreadableCode = "answer_unreadable";

    /// <summary>Creates the exception.</summary>
    /// <param name="questionId">The question.</param>
    /// <param name="inner">What the last try failed with, or null.</param>
    public AnswerUnreadableException(string questionId, Exception? inner = null)
        : base(UnreadableCode, $"The answer to the question '{questionId}' could not be read from the server. It is in the session's history.", inner)
    {
        QuestionId = questionId;
    }

    /// <summary>The question.</summary>
    public string QuestionId { get; }
}
