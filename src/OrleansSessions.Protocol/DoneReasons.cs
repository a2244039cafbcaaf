namespace OrleansSessions.Protocol;

/// <summary>Why a question ended, where its status alone does not say.</summary>
public static class DoneReasons
{
    /// <summary>The upstream could not be reached.</summary>
    public const string ResponderUnavailable = "responder_unavailable";

    /// <summary>The responder failed.</summary>
    public const string ResponderError = "responder_error";

    /// <summary>The responder declined to answer.</summary>
    public const string ResponderRefused = "responder_refused";

    /// <summary>The upstream stopped without saying that it had finished.</summary>
    public const string ResponderCut = "responder_cut";

    /// <summary>The process that was answering is gone.</summary>
    public const string ResponderLost = "responder_lost";

    /// <summary>The model reached its own length limit.</summary>
    public const string Length = "length";

    /// <summary>No text within the first-delta timer.</summary>
    public const string TimeoutFirstDelta = "timeout_first_delta";

    /// <summary>Silence for longer than the idle timer.</summary>
    public const string TimeoutIdle = "timeout_idle";

    /// <summary>Longer in all than the total timer.</summary>
    public const string TimeoutTotal = "timeout_total";

    /// <summary>Waited in the queue for too long.</summary>
    public const string QueueTimeout = "queue_timeout";

    /// <summary>The answer passed its size limit; what fits is kept.</summary>
    public const string AnswerTooLarge = "answer_too_large";

    /// <summary>Another question took its place.</summary>
    public const string Replaced = "replaced";

    /// <summary>The session was removed.</summary>
    public const string SessionRemoved = "session_removed";

    /// <summary>A client asked for it.</summary>
    public const string ByClient = "by_client";
}
