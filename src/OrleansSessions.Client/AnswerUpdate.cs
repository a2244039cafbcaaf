namespace OrleansSessions.Client;

/// <summary>
/// One step of an answer. The kinds are <see cref="AnswerAccepted"/>, <see cref="AnswerText"/>, <see cref="AnswerRestarted"/> and <see cref="AnswerEnded"/>,
/// and in a sequence over all questions also <see cref="AnswerFailed"/>. The texts since the last <see cref="AnswerRestarted"/>, joined, are the text of
/// <see cref="AnswerEnded"/>.
/// </summary>
public abstract record AnswerUpdate
{
    private protected AnswerUpdate()
    {
    }

    /// <summary>Where the answer is after this update. <see cref="SessionClient.ResumeAsync"/> goes on from there, in this process or another one.</summary>
    public required AnswerPosition Position { get; init; }

    /// <summary>The question that is answered.</summary>
    public string QuestionId => Position.QuestionId;

    /// <summary>The text of the question, or null if this client does not know it.</summary>
    public string? Question { get; init; }
}
