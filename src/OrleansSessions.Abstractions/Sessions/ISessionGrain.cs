using Orleans.Concurrency;

namespace OrleansSessions.Sessions;

/// <summary>
/// One session, keyed by <c>{tenant}/{session}</c>. It takes one question at a time in the whole cluster.
/// Every expected outcome is a value; a call throws only when something is broken, and every call may be repeated.
/// </summary>
[Alias("OrleansSessions.ISessionGrain"), GrainInterfaceType("orleanssessions.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Registers a socket gateway for new events, from the head of the log on, and tells where that head is.</summary>
    [Alias("Attach")]
    Task<AttachReply> AttachAsync(AttachRequest request);

    /// <summary>Tells that a connection is gone; the socket gateway itself is forgotten once it holds none.</summary>
    [Alias("Detach")]
    Task DetachAsync(DetachRequest request);

    /// <summary>Reads a bounded piece of the log. The read that reaches the head registers the socket gateway in the same turn.</summary>
    [Alias("ReadLog")]
    Task<LogPiece> ReadLogAsync(ReadLogRequest request);

    /// <summary>True while no question is open. It promises nothing: only <see cref="AskAsync"/> decides.</summary>
    [Alias("CanAcceptQuestion")]
    Task<bool> CanAcceptQuestionAsync();

    /// <summary>Admits a question, in one turn, or says why not. The same id with the same text is answered from the log.</summary>
    [Alias("Ask")]
    Task<AskReply> AskAsync(AskRequest request);

    /// <summary>Ends a running or waiting question as <c>cancelled</c>. Without an id: the running one.</summary>
    [Alias("Cancel")]
    Task<CancelReply> CancelAsync(string? questionId);

    /// <summary>Answers an open question whole, from outside. Without an id: the running one.</summary>
    [Alias("Respond")]
    Task<RespondReply> RespondAsync(RespondRequest request);

    /// <summary>Adds a piece to the answer of an open question, from outside. A repeated piece changes nothing.</summary>
    [Alias("Append")]
    Task<AppendReply> AppendAsync(AppendRequest request);

    /// <summary>The session as it stands, or null where none is known. Never creates one.</summary>
    [Alias("Describe")]
    Task<SessionDescription?> DescribeAsync();

    /// <summary>One question, or null.</summary>
    [Alias("GetQuestion")]
    Task<QuestionDescription?> GetQuestionAsync(string questionId);

    /// <summary>The last questions, oldest first.</summary>
    /// <param name="limit">At most so many, from 1.</param>
    [Alias("ListQuestions")]
    Task<IReadOnlyList<QuestionDescription>> ListQuestionsAsync(int limit);

    /// <summary>Waits until a question has ended, at most <paramref name="patience"/>, and describes it as it then stands. Holds up no other call.</summary>
    [Alias("WaitForEnd"), AlwaysInterleave]
    Task<QuestionDescription?> WaitForEndAsync(string questionId, TimeSpan patience);

    /// <summary>Ends what is open, forgets everything, and closes the session's sockets. Removing an unknown session does nothing.</summary>
    /// <returns>True if there was something to remove.</returns>
    [Alias("Remove")]
    Task<bool> RemoveAsync();
}
