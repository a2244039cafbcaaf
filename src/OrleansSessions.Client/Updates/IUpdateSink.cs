namespace OrleansSessions.Client.Updates;

/// <summary>Takes the updates of questions. All calls hold the session's lock.</summary>
internal interface IUpdateSink
{
    /// <summary>True while this sink has text of the question that this client does not have, unless that is of this epoch, too.</summary>
    bool IsAhead(string questionId, string? epoch);

    void Accept(AnswerAccepted accepted);

    /// <summary>Adds text at the end of an answer.</summary>
    /// <param name="position">The position after it.</param>
    void Append(ReadOnlySpan<char> text, AnswerPosition position, string? question);

    /// <summary>Withdraws all text of an answer.</summary>
    void Restart(AnswerRestarted restarted);

    void End(AnswerEnded ended);

    /// <summary>The question is over without an end.</summary>
    void Fail(AnswerFailed failed);
}
