namespace OrleansSessions.Protocol;

/// <summary>The profile of a socket: the frames of the Python session manager, or version 1.</summary>
public enum WireProfile
{
    Basic = 0,
    V1 = 1,
}

/// <summary>What to do with a question if another one is open.</summary>
public enum IfBusy
{
    /// <summary>Refuse it with <c>session_busy</c>.</summary>
    Reject = 0,

    /// <summary>Put it into the queue.</summary>
    Queue = 1,

    /// <summary>End the running question and the queued ones, then ask it.</summary>
    Replace = 2,
}

/// <summary>A parsed frame from a client. The set of messages is closed.</summary>
public abstract record ClientMessage
{
    private protected ClientMessage()
    {
    }
}

/// <param name="Id">The id that the client chose, or null if the server must create one.</param>
/// <param name="Question">Not empty; well-formed UTF-16.</param>
/// <param name="MetadataJson">The <c>metadata</c> object as JSON text, or null.</param>
/// <param name="OptionsJson">The <c>options</c> object as JSON text, or null. The responder decides which options it takes.</param>
public sealed record QuestionMessage(string? Id, string Question, IfBusy IfBusy, string? MetadataJson, string? OptionsJson) : ClientMessage;

/// <param name="QuestionId">Null means the running question.</param>
public sealed record CancelMessage(string? QuestionId) : ClientMessage;

public sealed record ResumeMessage(string Epoch, long AfterSeq) : ClientMessage;

/// <param name="Token">A fresh token of the same subject. It is never logged or echoed.</param>
public sealed record AuthMessage(string Token) : ClientMessage
{
    /// <summary>Without the token.</summary>
    public override string ToString() => nameof(AuthMessage);
}

public sealed record PingMessage : ClientMessage;

public sealed record PongMessage : ClientMessage;

/// <summary>Either a message, or the reason why the frame was refused.</summary>
public readonly record struct ParsedMessage(ClientMessage? Message, ErrorMessage? Refusal);
