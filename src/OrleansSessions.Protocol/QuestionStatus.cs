namespace OrleansSessions.Protocol;

/// <summary>The state of a question. The order of the numbers does not show whether a status is final: see <see cref="QuestionStatuses.IsFinal"/>.</summary>
public enum QuestionStatus
{
    /// <summary>The question waits behind another one.</summary>
    Queued = 0,

    /// <summary>The question runs and has no text yet.</summary>
    Accepted = 1,

    /// <summary>The question runs and has text.</summary>
    Answering = 2,

    /// <summary>The answer is complete.</summary>
    Completed = 3,

    /// <summary>Ended by a client, by a question that replaced it, or by the removal of the session.</summary>
    Cancelled = 4,

    /// <summary>The responder could not answer.</summary>
    Failed = 5,

    /// <summary>A deadline passed.</summary>
    Timeout = 6,

    /// <summary>A limit cut the answer off. There can be no text.</summary>
    Incomplete = 7,

    /// <summary>The process that was answering is gone, and another one continues. There is no text of this attempt yet.</summary>
    Recovering = 8,

    /// <summary>The answer waits for a person's input. This version never sets it.</summary>
    WaitingInput = 9,
}

/// <summary>What the values of <see cref="QuestionStatus"/> mean, including those that this version does not know.</summary>
public static class QuestionStatuses
{
    /// <summary>The name that clients see; <c>open</c> for a status that this version does not know.</summary>
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

    /// <summary>True if the question has ended; it never becomes false again. A status that this version does not know counts as open.</summary>
    public static bool IsFinal(this QuestionStatus status) =>
        status is QuestionStatus.Completed or QuestionStatus.Cancelled or QuestionStatus.Failed or QuestionStatus.Timeout or QuestionStatus.Incomplete;
}
