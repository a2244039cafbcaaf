using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>One profile's side of the conversation: what to write, and what to keep in mind for it. All calls come under the connection's gate.</summary>
internal interface IProfile : ILogSink
{
    /// <summary>The client's position: the last number written since it last said where it is, or that number. 0 where the profile has no numbers.</summary>
    long LastSeq { get; }

    /// <summary>The socket is attached; nothing was written to it before.</summary>
    /// <param name="resumeAfter">The number after which the client wants a replay, or null.</param>
    void OnAttached(AttachReply reply, long? resumeAfter);

    /// <summary>This socket is about to ask. Events about it may come before the reply.</summary>
    /// <returns>False if it had asked the same before and still waits for the end.</returns>
    bool OnAsking(string questionId, string question);

    /// <summary>The question runs or waits its turn.</summary>
    void OnAccepted(AskReply reply);

    /// <summary>True if <paramref name="earlier"/> is older than what this socket has been told, and would take it back.</summary>
    bool IsBehind(QuestionDescription earlier);

    /// <summary>The question had been asked before.</summary>
    void OnDuplicate(QuestionDescription earlier);

    /// <summary>The ask failed or was refused.</summary>
    /// <returns>False if it is known to have been accepted nevertheless: its end will come, and there is nothing to tell.</returns>
    bool OnNotAsked(string questionId);

    /// <summary>This socket is about to cancel. The end may come before the reply.</summary>
    PendingCancel OnCancelling(string? questionId);

    /// <summary>The reply to a cancel that took, or came too late.</summary>
    void OnCancelReply(PendingCancel pending, CancelReply reply);

    /// <summary>The cancel failed or found nothing.</summary>
    void OnNotCancelled(PendingCancel pending);
}

/// <summary>A cancel whose acknowledgement has not been written.</summary>
internal sealed class PendingCancel(string? questionId)
{
    /// <summary>Null while it is not known which question was running.</summary>
    public string? QuestionId { get; set; } = questionId;

    /// <summary>Where the log's head was just before the terminal event; null before the reply.</summary>
    public long? AfterSeq { get; set; }

    /// <summary>True once it was written, or no longer makes sense.</summary>
    public bool IsSettled { get; set; }
}
