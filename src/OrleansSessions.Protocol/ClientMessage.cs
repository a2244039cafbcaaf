namespace OrleansSessions.Protocol;

/// <summary>How a socket speaks: the Python manager's way, or version 1.</summary>
public enum WireProfile
{
    Basic = 0,
    V1 = 1,
}

/// <summary>What to do with a question while another one is open.</summary>
public enum IfBusy
{
    /// <summary>Refuse it with <c>session_busy</c>.</summary>
    Reject = 0,

    /// <summary>Let it wait its turn.</summary>
    Queue = 1,

    /// <summary>End the running one and all that wait, then ask it.</summary>
    Replace = 2,
}

/// <summary>A frame from a client, understood. The set is closed.</summary>
public abstract record ClientMessage
{
    private protected ClientMessage()
    {
    }
}

/// <param name="Id">The client's id for it, or null: the server makes one.</param>
/// <param name="Question">Not empty; well-formed UTF-16.</param>
/// <param name="MetadataJson">The <c>metadata</c> object as JSON text, or null.</param>
public sealed record QuestionMessage(string? Id, string Question, IfBusy IfBusy, string? MetadataJson) : ClientMessage;

/// <param name="QuestionId">Null: the running one.</param>
public sealed record CancelMessage(string? QuestionId) : ClientMessage;

public sealed record ResumeMessage(string Epoch, long AfterSeq) : ClientMessage;

public sealed record PingMessage : ClientMessage;

public sealed record PongMessage : ClientMessage;

/// <summary>Either a message or the reason why there is none.</summary>
public readonly record struct ParsedMessage(ClientMessage? Message, ErrorMessage? Refusal);
