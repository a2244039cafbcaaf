namespace OrleansSessions.Protocol;

/// <summary>Where a question is in its life. The first three are open; the others are final.</summary>
public enum QuestionStatus
{
    /// <summary>Waits for the question before it.</summary>
    Queued = 0,

    /// <summary>The responder has it; no text has come yet.</summary>
    Accepted = 1,

    /// <summary>Text is coming.</summary>
    Answering = 2,

    /// <summary>Answered whole.</summary>
    Completed = 3,

    /// <summary>Ended by a client, by a replacing question, or by the session's removal.</summary>
    Cancelled = 4,

    /// <summary>The responder could not answer.</summary>
    Failed = 5,

    /// <summary>A deadline passed.</summary>
    Timeout = 6,

    /// <summary>There is text, and the responder stopped at a limit.</summary>
    Incomplete = 7,
}

/// <summary>The wire's names of <see cref="QuestionStatus"/>.</summary>
public static class QuestionStatuses
{
    private static readonly string[] Names =
        ["queued", "accepted", "answering", "completed", "cancelled", "failed", "timeout", "incomplete"];

    /// <summary>The name as clients see it.</summary>
    public static string ToWire(this QuestionStatus status) => Names[(int)status];

    /// <summary>True once a question has ended; it never becomes false again.</summary>
    public static bool IsFinal(this QuestionStatus status) => status >= QuestionStatus.Completed;
}
