using Orleans.Concurrency;

namespace OrleansSessions.Sessions;

/// <summary>
/// One session, keyed by <see cref="SessionKey"/>. It takes one question at a time in the whole cluster.
/// Every expected outcome is a value; a call throws only when something is broken, and every call may be repeated.
/// </summary>
[Alias("OrleansSessions.ISessionGrain"), GrainInterfaceType("orleanssessions.session")]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Subscribes a socket gateway to new events, from the head of the log on, and reports where that head is.</summary>
    [Alias("Attach")]
    Task<AttachReply> AttachAsync(AttachRequest request);

    /// <summary>Reports that a connection is gone. The socket gateway itself is forgotten once it holds none.</summary>
    [Alias("Detach")]
    Task DetachAsync(DetachRequest request);

    /// <summary>Reads a bounded piece of the log. The read that reaches the head subscribes the socket gateway in the same turn.</summary>
    [Alias("ReadLog")]
    Task<LogPiece> ReadLogAsync(ReadLogRequest request);

    /// <summary>True while no question is open. It promises nothing: only <see cref="AskAsync"/> decides.</summary>
    [Alias("CanAcceptQuestion")]
    Task<bool> CanAcceptQuestionAsync(CanAcceptQuestionRequest request);

    /// <summary>Admits a question, in one turn, or reports why not. The same id with the same text is answered from the log.</summary>
    [Alias("Ask")]
    Task<AskReply> AskAsync(AskRequest request);

    /// <summary>Ends a running or waiting question as <c>cancelled</c>.</summary>
    [Alias("Cancel")]
    Task<CancelReply> CancelAsync(CancelRequest request);

    /// <summary>Answers an open question from outside. A repeated piece changes nothing.</summary>
    [Alias("Answer")]
    Task<AnswerReply> AnswerAsync(AnswerRequest request);

    /// <summary>The session as it now is, or null where none is known. Never creates one.</summary>
    [Alias("Describe")]
    Task<SessionDescription?> DescribeAsync(DescribeRequest request);

    /// <summary>One question, or null.</summary>
    [Alias("GetQuestion")]
    Task<QuestionDescription?> GetQuestionAsync(GetQuestionRequest request);

    /// <summary>The last questions, oldest first.</summary>
    [Alias("ListQuestions")]
    Task<IReadOnlyList<QuestionDescription>> ListQuestionsAsync(ListQuestionsRequest request);

    /// <summary>Waits until a question has ended, or until the patience is over, and describes it. Other calls go on meanwhile.</summary>
    [Alias("WaitForEnd"), AlwaysInterleave]
    Task<QuestionDescription?> WaitForEndAsync(WaitForEndRequest request);

    /// <summary>Ends what is open, forgets everything, and closes the session's sockets. Removing an unknown session does nothing.</summary>
    /// <returns>True if there was something to remove.</returns>
    [Alias("Remove")]
    Task<bool> RemoveAsync(RemoveRequest request);
}
