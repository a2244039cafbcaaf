namespace OrleansSessions.Protocol;

/// <summary>A frame to a client. The set is closed; <see cref="ServerMessageWriter"/> gives each its JSON.</summary>
public abstract record ServerMessage
{
    private protected ServerMessage()
    {
    }

    /// <summary>How many characters of text it carries, ids included: what the limits of a queue are counted in.</summary>
    public abstract int TextChars { get; }

    private protected static int CharsOf(IReadOnlyList<OpenQuestion> open)
    {
        var chars = 0;
        foreach (var question in open)
        {
            chars += question.QuestionId.Length;
        }

        return chars;
    }
}

/// <summary>A question that has not ended, as <c>hello</c> and <c>resumed</c> list it.</summary>
public sealed record OpenQuestion(string QuestionId, QuestionStatus State, long AgeMs);

/// <summary>The terminal facts of a question: the fields of <c>done</c>, and of a terminal <c>snapshot</c>.</summary>
public sealed record QuestionEnd
{
    public required QuestionStatus Status { get; init; }

    /// <summary>One of <see cref="DoneReasons"/>, or a responder's own; null where the whole answer is there.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason in words, for people.</summary>
    public string? Message { get; init; }

    /// <summary>True if asking again may help.</summary>
    public bool IsRetryable { get; init; }

    /// <summary>How many deltas the answer has.</summary>
    public int Deltas { get; init; }

    /// <summary>The answer's length in UTF-8 bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Milliseconds from the start to the first text, or null where there was none.</summary>
    public long? FirstMs { get; init; }

    /// <summary>Milliseconds from the start to the end.</summary>
    public long TotalMs { get; init; }

    /// <summary>How many characters of text it carries.</summary>
    public int TextChars => (Reason?.Length ?? 0) + (Message?.Length ?? 0);

    /// <summary>Without the message, which may be an answerer's own words: what prints is logged.</summary>
    public override string ToString() => $"{nameof(QuestionEnd)} {Status}";
}

public sealed record HelloMessage : ServerMessage
{
    public required string Session { get; init; }

    public required string Connection { get; init; }

    /// <summary>The name of the responder.</summary>
    public required string Responder { get; init; }

    public required string Epoch { get; init; }

    /// <summary>The head of the log when the connection was attached.</summary>
    public long Seq { get; init; }

    /// <summary>Running first, then queued in order.</summary>
    public IReadOnlyList<OpenQuestion> Open { get; init; } = [];

    /// <summary>True where the client asked to go on from a position.</summary>
    public bool IsResuming { get; init; }

    public int HeartbeatMs { get; init; }

    public int MaxMessageBytes { get; init; }

    public int MaxQuestionBytes { get; init; }

    public int ReconnectMinMs { get; init; }

    public int ReconnectMaxMs { get; init; }

    public IReadOnlyList<string> Features { get; init; } = [];

    public override int TextChars => Session.Length + Connection.Length + Responder.Length + Epoch.Length + CharsOf(Open) + Features.Sum(static feature => feature.Length);
}

/// <param name="Position">0 where it runs at once, else its place in the queue.</param>
/// <param name="Question">The text, only on sockets that did not ask.</param>
public sealed record AcceptedMessage(
    long Seq, string QuestionId, bool IsDuplicate, int Position, string? Question, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + (Question?.Length ?? 0);
}

/// <summary>A run of deltas in one frame.</summary>
/// <param name="Seq">The number of the last delta in it.</param>
/// <param name="Index">The place of the first delta in its answer, from 0.</param>
/// <param name="Count">How many deltas it has.</param>
public sealed record DeltaMessage(long Seq, string QuestionId, int Index, int Count, string Text, bool IsReplay = false) : ServerMessage
{
    /// <summary>The number of the first delta in it.</summary>
    public long FromSeq => Seq - Count + 1;

    public override int TextChars => QuestionId.Length + Text.Length;
}

public sealed record DoneMessage(long Seq, string QuestionId, QuestionEnd End, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + End.TextChars;
}

/// <summary>An event of a kind that this version has no name for. It has a number, so a client counts it even if it does not know it either.</summary>
/// <param name="Type">The frame's <c>type</c>.</param>
/// <param name="BodyJson">The other fields of the frame as one JSON object; null for none.</param>
public sealed record OtherEventMessage(long Seq, string QuestionId, string Type, string? BodyJson, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Type.Length + (BodyJson?.Length ?? 0);
}

/// <summary>The text of a question so far, or all of it.</summary>
public sealed record SnapshotMessage : ServerMessage
{
    public required string Epoch { get; init; }

    public required string QuestionId { get; init; }

    /// <summary>The question's text.</summary>
    public string? Question { get; init; }

    /// <summary>This part of the answer's text.</summary>
    public required string Text { get; init; }

    /// <summary>How many deltas the whole text has.</summary>
    public int Deltas { get; init; }

    /// <summary>The length of the whole text in UTF-8 bytes.</summary>
    public long Bytes { get; init; }

    public QuestionStatus Status { get; init; }

    /// <summary>Which part this is, from 1.</summary>
    public int Part { get; init; } = 1;

    public int Parts { get; init; } = 1;

    /// <summary>The end of an ended question; null while it is open.</summary>
    public QuestionEnd? End { get; init; }

    public override int TextChars => Epoch.Length + QuestionId.Length + (Question?.Length ?? 0) + Text.Length + (End?.TextChars ?? 0);
}

public sealed record ResumedMessage(bool IsRecovered, string? Reason, string Epoch, long ToSeq, IReadOnlyList<OpenQuestion> Open) : ServerMessage
{
    public override int TextChars => (Reason?.Length ?? 0) + Epoch.Length + CharsOf(Open);
}

public sealed record CancellingMessage(string QuestionId) : ServerMessage
{
    public override int TextChars => QuestionId.Length;
}

public sealed record ErrorMessage(WireError Error, string Message, string? QuestionId = null, string? Param = null, long? RetryAfterMs = null) : ServerMessage
{
    /// <summary>For a busy session: the running question.</summary>
    public string? ActiveQuestionId { get; init; }

    /// <summary>For how long that question has run, in milliseconds.</summary>
    public long? ActiveForMs { get; init; }

    public override int TextChars => Message.Length + (QuestionId?.Length ?? 0) + (Param?.Length ?? 0) + (ActiveQuestionId?.Length ?? 0);
}

/// <param name="Seq">The last number written to this socket.</param>
public sealed record ServerPingMessage(long Seq) : ServerMessage
{
    public override int TextChars => 0;
}

/// <summary>Basic profile: a whole answer in one frame.</summary>
/// <param name="Code">Why it is not the whole answer, where it is not; else null.</param>
public sealed record BasicResponseMessage(string QuestionId, QuestionStatus Status, string Text, string? Code = null) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Text.Length + (Code?.Length ?? 0);
}

/// <summary>Basic profile: a question that ended without its whole answer.</summary>
/// <param name="Code">The reason of the end.</param>
public sealed record BasicFailureMessage(string QuestionId, QuestionStatus Status, string Code, string Message, string Text) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Code.Length + Message.Length + Text.Length;
}
