using System.Text;
using OrleansSessions.Protocol;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Questions;

/// <summary>One question and its answer, as its session holds them. Only the session changes it.</summary>
internal sealed class Question(string id, string text, DateTimeOffset askedAt)
{
    /// <summary>The longest reason, in characters: as long as an id, which is what a reason looks like.</summary>
    private const int MaxReasonLength = 64;

    /// <summary>The longest message of an end: the longest code and message that <c>/answer</c> takes, and what joins them.</summary>
    private const int MaxEndMessageBytes = 64 + 2 + 1024;

    /// <summary>The longest advice to wait. An upstream may say anything, and a client may sleep for as long as it is told.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(24);

    private StringBuilder? _growing;
    private string _answer = "";
    private AnsweredQuestion? _pair;

    public string Id { get; } = id;

    public string Text { get; } = text;

    /// <summary>For the responder, as the next three are; null once the question has ended, because no one reads them then.</summary>
    public string? MetadataJson { get; set; }

    public string? OptionsJson { get; set; }

    /// <summary>Who asked, where the caller said so.</summary>
    public string? User { get; set; }

    /// <summary>The trace that the ask belongs to.</summary>
    public string? TraceParent { get; set; }

    public DateTimeOffset AskedAt { get; } = askedAt;

    /// <summary>When it began to run: the total timer counts from here, whatever happens to its process.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>When the attempt that counts began: the timer of its first sign of life counts from here.</summary>
    public DateTimeOffset AttemptStartedAt { get; set; }

    public DateTimeOffset? FirstDeltaAt { get; set; }

    /// <summary>When its responder was last known to be alive, with text or without; null before its first sign of life.</summary>
    public DateTimeOffset? LastSignAt { get; private set; }

    public QuestionStatus Status { get; set; }

    /// <summary>Which attempt at an answer counts; writes of an older one are refused.</summary>
    public int Attempt { get; set; } = 1;

    /// <summary>How many attempts in a row ended with their process and saved no more text.</summary>
    public int FruitlessAttempts { get; set; }

    /// <summary>True where its process has stopped in order, and another attempt goes on elsewhere.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>How many of its attempts ended in that way.</summary>
    public int HandOvers { get; set; }

    /// <summary>The length of the answer when this attempt began, or the epoch in which it ends, in UTF-16 units.</summary>
    public int LengthBefore { get; set; }

    /// <summary>The life of the log that its numbers belong to.</summary>
    public long Epoch { get; set; }

    public long AcceptedSeq { get; set; }

    public long DoneSeq { get; set; }

    /// <summary>The part of the answer that is in the store already; null where none is.</summary>
    public SavedText? Saved { get; set; }

    /// <summary>What is stored of it once it has ended, as long as its session's record holds that; else null.</summary>
    public byte[]? Form { get; set; }

    /// <summary>The stored page that holds it, or null while its session's record does.</summary>
    public EndedPage? Page { get; set; }

    /// <summary>Its place in the queue when it was accepted; 0 where it ran at once.</summary>
    public int AcceptedPosition { get; set; }

    public QuestionEnd? End { get; set; }

    /// <summary>What its answer had used when it ended, as far as its responder had said; null if that is not known.</summary>
    public AnswerUsage? Usage { get; set; }

    /// <summary>The answer's length in UTF-8 bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>Where each delta ends in the answer, in UTF-16 units.</summary>
    public List<int> DeltaEnds { get; set; } = [];

    /// <summary>How many deltas the answer has.</summary>
    public int Deltas => DeltaEnds.Count;

    /// <summary>The socket gateway that asked, or null. With the connection it decides whether the question is orphaned.</summary>
    public string? Gateway { get; init; }

    public string? Connection { get; init; }

    /// <summary>True for a basic socket's question without an id: no other connection can ever ask for its answer.</summary>
    public bool IsOrphanable { get; init; }

    /// <summary>The name of the responder that it was asked for.</summary>
    public string Responder { get; init; } = "";

    /// <summary>True where its answer comes by HTTP or by a grain call, and only the total timer counts.</summary>
    public bool IsAnsweredFromOutside { get; init; }

    public bool IsConnectionGone { get; set; }

    /// <summary>The newest basic socket that opened since the one that asked was last heard from, or null.</summary>
    public string? OutrankedBy { get; set; }

    /// <summary>True once the session keeps it no longer; the log then removes its events.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The question's length in UTF-8 bytes.</summary>
    public int TextBytes { get; } = Encoding.UTF8.GetByteCount(text);

    public bool IsFinal => Status.IsFinal();

    /// <summary>
    /// True where it has ended, did not fail, and a client has seen its text: it is then part of what later questions are answered with.
    /// Without text it would be two questions in a row, which the strict templates of some models refuse.
    /// </summary>
    public bool IsHistory => Bytes > 0 && Status is QuestionStatus.Completed or QuestionStatus.Incomplete or QuestionStatus.Cancelled;

    /// <summary>An ended question and its answer, as a responder gets them.</summary>
    public AnsweredQuestion Pair => _pair ??= new(Text, Answer);

    /// <summary>The answer so far, or all of it.</summary>
    public string Answer
    {
        get => _growing is null ? _answer : _growing.ToString();
        set => (_answer, _growing) = (value, null);
    }

    /// <summary>What an ended question counts for in <see cref="SessionsOptions.KeptBytes"/>: all of its text, in UTF-8 bytes.</summary>
    public long KeptBytes => Id.Length + TextBytes + Bytes + EndBytes;

    /// <summary>The length of the answer in UTF-16 units.</summary>
    public int Length => _growing?.Length ?? _answer.Length;

    private int EndBytes => End is { } end ? Encoding.UTF8.GetByteCount(end.Reason ?? "") + Encoding.UTF8.GetByteCount(end.Message ?? "") : 0;

    /// <summary>Its responder was alive at that time. A sign that is read late does not undo a later one.</summary>
    public void NoteSign(DateTimeOffset at)
    {
        if (LastSignAt is not { } last || at > last)
        {
            LastSignAt = at;
        }
    }

    public void AppendDelta(ReadOnlySpan<char> text, int bytes)
    {
        _growing ??= new StringBuilder(_answer, Math.Max(64, text.Length));
        _growing.Append(text);
        DeltaEnds.Add(_growing.Length);
        Bytes += bytes;
    }

    public void DropAnswer() => (Answer, Bytes, DeltaEnds, FirstDeltaAt, Saved) = ("", 0, [], null, null);

    /// <summary>Counts the bytes of an answer that was read.</summary>
    public void CountAnswer() => Bytes = Encoding.UTF8.GetByteCount(Answer);

    /// <summary>A part of the answer, in UTF-16 units.</summary>
    public string TextBetween(int start, int end) => _growing is null ? _answer[start..end] : _growing.ToString(start, end - start);

    /// <summary>
    /// Begins another attempt, because the process of the last one is gone. The numbers of the log start again, so this question is open from its beginning.
    /// </summary>
    /// <param name="keepsText">True if the answer continues after the text so far, false if that text is withdrawn.</param>
    public void BeginAttempt(int attempt, bool keepsText, DateTimeOffset now)
    {
        (Status, Attempt, AttemptStartedAt, LastSignAt) = (QuestionStatus.Recovering, attempt, now, null);
        if (!keepsText)
        {
            DropAnswer();
        }

        LengthBefore = Length;
    }

    /// <summary>Ends it. Nothing is appended afterwards, so the growing answer becomes one string.</summary>
    public void Conclude(Ending ending, DateTimeOffset now)
    {
        var startedAt = Status == QuestionStatus.Queued ? AskedAt : StartedAt;
        Status = ending.Status;
        End = new QuestionEnd
        {
            Status = ending.Status,
            Reason = ending.Reason is { } reason ? ScalarGuard.CutToBytes(reason, MaxReasonLength) : null,
            Message = ending.Message is { } message ? ScalarGuard.CutToBytes(message, MaxEndMessageBytes) : null,
            IsRetryable = ending.IsRetryable,
            RetryAfterMs = ending is { IsRetryable: true, RetryAfter: { } wait } ? RetryAfterMilliseconds(wait) : null,
            Deltas = Deltas,
            Bytes = Bytes,
            FirstMs = FirstDeltaAt is { } first ? Milliseconds(first - startedAt) : null,
            TotalMs = Milliseconds(now - startedAt),
        };
        (_answer, _growing) = (Answer, null);
        DeltaEnds.TrimExcess();
        MetadataJson = OptionsJson = User = TraceParent = null;
    }

    /// <summary>A time as clients see it: never negative.</summary>
    public static long Milliseconds(TimeSpan duration) => Math.Max(0, (long)duration.TotalMilliseconds);

    public string DeltaAt(int index) => TextBetween(index == 0 ? 0 : DeltaEnds[index - 1], DeltaEnds[index]);

    /// <summary>Rounded up, because an upstream refuses what comes before its time.</summary>
    private static long RetryAfterMilliseconds(TimeSpan wait) =>
        (long)Math.Ceiling(Math.Clamp(wait.TotalMilliseconds, 0, MaxRetryAfter.TotalMilliseconds));
}
