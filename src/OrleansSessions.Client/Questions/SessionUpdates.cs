namespace OrleansSessions.Client.Questions;

/// <summary>The updates of all questions. Each enumeration begins when it is asked for.</summary>
internal sealed class SessionUpdates(QuestionTable questions, Lock gate) : IAsyncEnumerable<AnswerUpdate>
{
    public IAsyncEnumerator<AnswerUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        var reader = new SessionReader(questions, gate, cancellationToken);
        lock (gate)
        {
            questions.Attach(reader);
        }

        return reader;
    }
}
