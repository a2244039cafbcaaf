namespace OrleansSessions.Client;

/// <summary>
/// The question was refused or lost, or its answer cannot be read. It is the last update of that question, and occurs only in the sequence over all
/// questions of a session: the sequence of one answer throws <paramref name="Error"/>.
/// </summary>
public sealed record AnswerFailed(SessionException Error) : AnswerUpdate;
