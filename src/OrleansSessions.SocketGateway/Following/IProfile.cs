using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>Decides which frames a client receives, and keeps the state for that. All calls are made under the connection's gate.</summary>
internal interface IProfile : ILogSink
{
    /// <summary>
    /// The client's position: the last number that was written, or the position that the client reported after that. 0 if the profile has no numbers.
    /// </summary>
    long LastSeq { get; }

    /// <summary>True while the client waits for the end of a question that only this connection will get.</summary>
    bool HasOwnOpen { get; }

    /// <summary>The follower is attached, and nothing has been written to it.</summary>
    /// <param name="resumeAfter">The number after which the client asks for a replay, or null.</param>
    void OnAttached(AttachReply reply, long? resumeAfter);

    /// <summary>The client is about to ask. Events about the question can arrive before the reply.</summary>
    /// <returns>False if the client has asked the same question before and still waits for its end.</returns>
    bool OnAsking(string questionId, string question);

    /// <summary>The question runs or is queued.</summary>
    void OnAccepted(AskReply reply);

    /// <summary>True if <paramref name="earlier"/> is older than what the client has received, and would remove text that it has already.</summary>
    bool IsBehind(QuestionDescription earlier);

    /// <summary>The question was asked before.</summary>
    void OnDuplicate(QuestionDescription earlier);

    /// <summary>The ask failed or was refused.</summary>
    /// <returns>False if it is known that the question was accepted nevertheless. Its end will follow, so no error is sent.</returns>
    bool OnNotAsked(string questionId);

    /// <summary>The client is about to cancel. The end of the question can arrive before the reply.</summary>
    PendingCancel OnCancelling(string? questionId);

    /// <summary>The reply to a cancel that succeeded or came too late.</summary>
    void OnCancelReply(PendingCancel pending, CancelReply reply);

    /// <summary>The cancel failed, or there was nothing to cancel.</summary>
    void OnNotCancelled(PendingCancel pending);
}

/// <summary>A cancel whose <c>cancelling</c> frame was not written yet.</summary>
internal sealed class PendingCancel(string? questionId)
{
    /// <summary>Null as long as it is not known which question was running.</summary>
    public string? QuestionId { get; set; } = questionId;

    /// <summary>The position of the log's head just before the end of the question; null before the reply.</summary>
    public long? AfterSeq { get; set; }

    /// <summary>True once the frame was written, or is no longer needed.</summary>
    public bool IsSettled { get; set; }
}
