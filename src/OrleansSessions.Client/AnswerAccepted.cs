namespace OrleansSessions.Client;

/// <summary>The server has accepted the question: it is answered or ends, whatever happens to this client.</summary>
/// <param name="QueuePosition">0 if the question runs at once, otherwise its place in the queue when it was accepted.</param>
public sealed record AnswerAccepted(int QueuePosition) : AnswerUpdate;
