namespace OrleansSessions.Protocol;

/// <summary>Why a question ended, if its status alone does not say so.</summary>
public static class DoneReasons
{
    /// <summary>The upstream could not be reached.</summary>
    public const string ResponderUnavailable = "responder_unavailable";

    /// <summary>The responder failed.</summary>
    public const string ResponderError = "responder_error";

    /// <summary>The responder declined to answer.</summary>
    public const string ResponderRefused = "responder_refused";

    /// <summary>The upstream's response ended without a finish reason.</summary>
    public const string ResponderCut = "responder_cut";

    /// <summary>The process that was answering is gone.</summary>
    public const string ResponderLost = "responder_lost";

    /// <summary>The model reached its own length limit.</summary>
    public const string Length = "length";

    /// <summary>Neither text nor another sign of life came before the first-delta timer expired.</summary>
    public const string TimeoutFirstDelta = "timeout_first_delta";

    /// <summary>The responder was silent for longer than the silence timer.</summary>
    public const string TimeoutIdle = "timeout_idle";

    /// <summary>The answer took longer than the total timer.</summary>
    public const string TimeoutTotal = "timeout_total";

    /// <summary>The question waited in the queue for too long.</summary>
    public const string QueueTimeout = "queue_timeout";

    /// <summary>The answer exceeded its size limit. The text that fits is kept.</summary>
    public const string AnswerTooLarge = "answer_too_large";

    /// <summary>Another question took its place.</summary>
    public const string Replaced = "replaced";

    /// <summary>The session was removed.</summary>
    public const string SessionRemoved = "session_removed";

    /// <summary>A client cancelled it.</summary>
    public const string ByClient = "by_client";
}
