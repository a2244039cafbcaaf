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

    /// <summary>
    /// How long to wait after the end before asking again can succeed, in milliseconds, at most 24 hours. Null if that is not known, or if asking again
    /// cannot succeed.
    /// </summary>
    public long? RetryAfterMs { get; init; }

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

public sealed record HelloMessage : ServerMessage
{
    public required string Session { get; init; }

    public required string Connection { get; init; }

    /// <summary>The name of the responder.</summary>
    public required string Responder { get; init; }

    public required string Epoch { get; init; }

    /// <summary>The head of the log when the connection was attached.</summary>
    public long Seq { get; init; }

    /// <summary>The running question first, then the queued ones in order.</summary>
    public IReadOnlyList<OpenQuestion> Open { get; init; } = [];

    /// <summary>True if the client resumes from a position.</summary>
    public bool IsResuming { get; init; }

    /// <summary>True if the session outlives its process, false if it ends with it.</summary>
    public bool IsStored { get; init; }

    /// <summary>How long an idle session is remembered, in milliseconds.</summary>
    public long ResumeTtlMs { get; init; }

    /// <summary>The oldest event that can be replayed; one more than <see cref="Seq"/> if there is none.</summary>
    public long OldestSeq { get; init; }

    public int HeartbeatMs { get; init; }

    public int MaxMessageBytes { get; init; }

    public int MaxQuestionBytes { get; init; }

    /// <summary>The other limits that apply to this client. Null means that there is no such limit.</summary>
    public CallerLimits Limits { get; init; } = CallerLimits.None;

    /// <summary>Milliseconds until the token of this socket expires, or null if it does not expire.</summary>
    public long? TokenExpiresInMs { get; init; }

    public int ReconnectMinMs { get; init; }

    public int ReconnectMaxMs { get; init; }

    public IReadOnlyList<string> Features { get; init; } = [];

    public override int TextChars =>
        Session.Length + Connection.Length + Responder.Length + Epoch.Length + CharsOf(Open) + Features.Sum(static feature => feature.Length);
}

/// <summary>The limits of one client, besides the sizes. Null means that there is no such limit.</summary>
/// <param name="MessagesPerMinute">Messages on one socket.</param>
/// <param name="Sockets">Open sockets and event streams of the caller's scope, in the whole cluster. The same for the limits that follow.</param>
public sealed record CallerLimits(int? MessagesPerMinute, int? Sockets, int? OpenQuestions, int? AsksPerMinute, int? Sessions)
{
    public static CallerLimits None { get; } = new(null, null, null, null, null);
}

/// <summary>The token of the socket expires soon. The client can send <c>auth</c> with a fresh one.</summary>
public sealed record ExpiringMessage(long InMs) : ServerMessage
{
    public override int TextChars => 0;
}

/// <summary>The client should open another connection after the delay, and close this one once that is live.</summary>
/// <param name="Reason"><c>draining</c> or <c>max_age</c>.</param>
public sealed record ReconnectMessage(string Reason, long DelayMs) : ServerMessage
{
    public override int TextChars => Reason.Length;
}

/// <summary>A fresh token was accepted.</summary>
/// <param name="ExpiresInMs">Milliseconds until it expires, or null if it does not expire.</param>
public sealed record AuthenticatedMessage(long? ExpiresInMs) : ServerMessage
{
    public override int TextChars => 0;
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
/// <param name="Index">The index of the first delta in its answer, from 0.</param>
/// <param name="Count">The number of deltas in the frame.</param>
public sealed record DeltaMessage(long Seq, string QuestionId, int Index, int Count, string Text, bool IsReplay = false) : ServerMessage
{
    /// <summary>The number of the first delta in the frame.</summary>
    public long FromSeq => Seq - Count + 1;

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

/// <summary>The text of a question so far, or all of it.</summary>
public sealed record SnapshotMessage : ServerMessage
{
    public required string Epoch { get; init; }

    public required string QuestionId { get; init; }

    /// <summary>The question's text.</summary>
    public string? Question { get; init; }

    /// <summary>This part of the answer's text.</summary>
    public required string Text { get; init; }

    /// <summary>The number of deltas of the whole text.</summary>
    public int Deltas { get; init; }

    /// <summary>The length of the whole text in UTF-8 bytes.</summary>
    public long Bytes { get; init; }

    public QuestionStatus Status { get; init; }

    /// <summary>Which part this is, from 1.</summary>
    public int Part { get; init; } = 1;

    public int Parts { get; init; } = 1;

    /// <summary>How the question ended; null while it is open.</summary>
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
    /// <summary>The running question of a busy session.</summary>
    public string? ActiveQuestionId { get; init; }

    /// <summary>How long that question has been running, in milliseconds.</summary>
    public long? ActiveForMs { get; init; }

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
    /// <summary>How long to wait before asking again can succeed, in milliseconds, or null if that is not known.</summary>
    public long? RetryAfterMs { get; init; }

    public override int TextChars => QuestionId.Length + Code.Length + Message.Length + Text.Length;
}
