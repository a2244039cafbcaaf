namespace OrleansSessions.Client;

/// <summary>The question has ended. This is the last update of a question.</summary>
/// <param name="End">How it ended, with the whole text.</param>
public sealed record AnswerEnded(AnswerEnd End) : AnswerUpdate;
