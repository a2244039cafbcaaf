namespace OrleansSessions.Client;

/// <summary>The next piece of the answer. Pieces that a reader has not read yet are joined, so a piece can be long.</summary>
/// <param name="Text">Never empty, and never half of a surrogate pair.</param>
public sealed record AnswerText(string Text) : AnswerUpdate;
