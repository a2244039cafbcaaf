namespace OrleansSessions.Protocol;

/// <summary>Where a question is in its life. Whether a status is final is not a matter of its number: see <see cref="QuestionStatuses.IsFinal"/>.</summary>
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

    /// <summary>Another attempt at the answer is under way and has given no text yet. This version never sets it.</summary>
    Recovering = 8,

    /// <summary>The answer waits for a person's input. This version never sets it.</summary>
    WaitingInput = 9,
}

/// <summary>What the numbers of <see cref="QuestionStatus"/> mean, also those that this version does not know.</summary>
public static class QuestionStatuses
{
    /// <summary>The name as clients see it; <c>open</c> for a status that this version does not know.</summary>
    public static string ToWire(this QuestionStatus status) => status switch
    {
        QuestionStatus.Queued => "queued",
        QuestionStatus.Accepted => "accepted",
        QuestionStatus.Answering => "answering",
        QuestionStatus.Completed => "completed",
        QuestionStatus.Cancelled => "cancelled",
        QuestionStatus.Failed => "failed",
        QuestionStatus.Timeout => "timeout",
        QuestionStatus.Incomplete => "incomplete",
        QuestionStatus.Recovering => "recovering",
        QuestionStatus.WaitingInput => "waiting_input",
        _ => "open",
    };

    /// <summary>True once a question has ended; it never becomes false again. A status that this version does not know is an open one.</summary>
    public static bool IsFinal(this QuestionStatus status) =>
        status is QuestionStatus.Completed or QuestionStatus.Cancelled or QuestionStatus.Failed or QuestionStatus.Timeout or QuestionStatus.Incomplete;
}
