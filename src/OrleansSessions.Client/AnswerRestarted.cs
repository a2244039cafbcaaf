namespace OrleansSessions.Client;

/// <summary>
/// The text so far is withdrawn, and the answer begins again: the process that was answering was lost before it had saved that text, or the client does not
/// have the text before its position.
/// </summary>
public sealed record AnswerRestarted : AnswerUpdate;
