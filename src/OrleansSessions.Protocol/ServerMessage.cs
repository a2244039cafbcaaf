namespace OrleansSessions.Protocol;

/// <summary>A frame to a client. The set of messages is closed. <see cref="ServerMessageWriter"/> writes them as JSON.</summary>
public abstract record ServerMessage
{
    private protected ServerMessage()
    {
    }

    /// <summary>The number of characters of text, including ids. The limits of a frame queue count them.</summary>
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

/// <summary>A question that has not ended, as listed in <c>hello</c> and <c>resumed</c>.</summary>
public sealed record OpenQuestion(string QuestionId, QuestionStatus State, long AgeMs);

/// <summary>How a question ended: the fields of <c>done</c>, which the <c>snapshot</c> of an ended question has too.</summary>
public sealed record QuestionEnd
{
    public required QuestionStatus Status { get; init; }

    /// <summary>One of <see cref="DoneReasons"/>, or a responder's own reason; null if the answer is complete.</summary>
    public string? Reason { get; init; }

    /// <summary>The reason in words, for people.</summary>
    public string? Message { get; init; }

    /// <summary>True if asking again can succeed.</summary>
    public bool IsRetryable { get; init; }

    /// <summary>The number of deltas of the answer.</summary>
    public int Deltas { get; init; }

    /// <summary>The length of the answer in UTF-8 bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Milliseconds from the start to the first text, or null if there was none.</summary>
    public long? FirstMs { get; init; }

    /// <summary>Milliseconds from the start to the end.</summary>
    public long TotalMs { get; init; }

    /// <summary>The number of characters of text.</summary>
    public int TextChars => (Reason?.Length ?? 0) + (Message?.Length ?? 0);

    /// <summary>Without the message, which can contain the responder's own words: what this method returns can be logged.</summary>
    public override string ToString() => $"{nameof(QuestionEnd)} {Status}";
}

public sealed record HelloMessage(
    string Session, string Connection, string Responder, string Epoch, long Seq, IReadOnlyList<OpenQuestion> Open, bool IsResuming,
    int HeartbeatMs, int MaxMessageBytes, int MaxQuestionBytes, int ReconnectMinMs, int ReconnectMaxMs, IReadOnlyList<string> Features) : ServerMessage
{
    public override int TextChars => Session.Length + Connection.Length + Responder.Length + Epoch.Length + CharsOf(Open) + Features.Sum(static feature => feature.Length);
}

/// <param name="Position">0 if the question runs at once, otherwise its place in the queue.</param>
/// <param name="Question">The text of the question. Sent only to sockets that did not ask it.</param>
public sealed record AcceptedMessage(
    long Seq, string QuestionId, bool IsDuplicate, int Position, string? Question, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + (Question?.Length ?? 0);
}

/// <summary>A run of deltas in one frame.</summary>
/// <param name="Seq">The number of the last delta in the frame.</param>
/// <param name="FromSeq">The number of the first delta in the frame.</param>
public sealed record DeltaMessage(
    long Seq, long FromSeq, string QuestionId, int Index, int Count, string Text, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Text.Length;
}

public sealed record DoneMessage(long Seq, string QuestionId, QuestionEnd End, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + End.TextChars;
}

/// <summary>An event of a kind that this version does not know. It has a number, so clients count it even if they do not know its kind either.</summary>
/// <param name="Type">The frame's <c>type</c>.</param>
/// <param name="BodyJson">The other fields of the frame as one JSON object, or null if there are none.</param>
public sealed record OtherEventMessage(long Seq, string QuestionId, string Type, string? BodyJson, bool IsReplay = false) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Type.Length + (BodyJson?.Length ?? 0);
}

/// <param name="Text">This part of the text.</param>
/// <param name="End">How the question ended; null while it is open.</param>
public sealed record SnapshotMessage(
    string Epoch, string QuestionId, string? Question, string Text, int Deltas, long Bytes, QuestionStatus Status, int Part, int Parts,
    QuestionEnd? End) : ServerMessage
{
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

public sealed record ErrorMessage(
    WireError Error, string Message, string? QuestionId = null, string? Param = null, long? RetryAfterMs = null,
    string? ActiveQuestionId = null, long? ActiveForMs = null) : ServerMessage
{
    public override int TextChars => Message.Length + (QuestionId?.Length ?? 0) + (Param?.Length ?? 0) + (ActiveQuestionId?.Length ?? 0);
}

/// <param name="Seq">The last number written to this socket.</param>
public sealed record ServerPingMessage(long Seq) : ServerMessage
{
    public override int TextChars => 0;
}

/// <summary>Basic profile: an answer in one frame.</summary>
/// <param name="Code">The reason why the answer is incomplete; null if it is complete.</param>
public sealed record BasicResponseMessage(string QuestionId, QuestionStatus Status, string Text, string? Code = null) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Text.Length + (Code?.Length ?? 0);
}

/// <summary>Basic profile: a question that ended without its complete answer.</summary>
/// <param name="Code">The reason why it ended.</param>
public sealed record BasicFailureMessage(string QuestionId, QuestionStatus Status, string Code, string Message, string Text) : ServerMessage
{
    public override int TextChars => QuestionId.Length + Code.Length + Message.Length + Text.Length;
}
