using OrleansSessions.Protocol;

namespace OrleansSessions.Log;

/// <summary>A numbered entry of a session's log. The set is closed.</summary>
/// <param name="Seq">Its number in the epoch, from 1, one more than the entry before.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LogEvent")]
public abstract record LogEvent([property: Id(0)] long Seq, [property: Id(1)] string QuestionId);

/// <param name="Position">0 where the question runs at once, else its place in the queue, from 1.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AcceptedEvent")]
public sealed record AcceptedEvent(long Seq, string QuestionId, [property: Id(0)] string Question, [property: Id(1)] int Position)
    : LogEvent(Seq, QuestionId)
{
    /// <summary>Without the texts: Orleans logs items as they print.</summary>
    public override string ToString() => $"{nameof(AcceptedEvent)} {Seq} {QuestionId}";
}

/// <param name="Index">Its place in the answer, from 0.</param>
/// <param name="Text">Never empty; never half of a Unicode scalar.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.DeltaEvent")]
public sealed record DeltaEvent(long Seq, string QuestionId, [property: Id(0)] int Index, [property: Id(1)] string Text)
    : LogEvent(Seq, QuestionId)
{
    /// <summary>Without the texts: Orleans logs items as they print.</summary>
    public override string ToString() => $"{nameof(DeltaEvent)} {Seq} {QuestionId}";
}

[GenerateSerializer, Immutable, Alias("OrleansSessions.DoneEvent")]
public sealed record DoneEvent(long Seq, string QuestionId, [property: Id(0)] QuestionEnd End) : LogEvent(Seq, QuestionId);
