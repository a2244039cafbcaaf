using OrleansSessions.Protocol;

namespace OrleansSessions.Log;

/// <summary>What kind of entry a <see cref="LogEvent"/> is.</summary>
public enum LogEventKind : byte
{
    /// <summary>One that this version has no name for: <see cref="LogEvent.OtherKind"/> and <see cref="LogEvent.BodyJson"/> hold its frame.</summary>
    Other = 0,

    /// <summary>A question was accepted.</summary>
    Accepted = 1,

    /// <summary>A piece of answer text.</summary>
    Delta = 2,

    /// <summary>A question ended.</summary>
    Done = 3,
}

/// <summary>
/// A numbered entry of a session's log. There is one type for all kinds, so that a socket gateway can read a kind that it does not know. It forwards such an
/// event, because one that it dropped would leave a hole in the numbers. So a kind that a later version adds fills <see cref="OtherKind"/> and <see cref="BodyJson"/>.
/// </summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LogEvent")]
public sealed record LogEvent
{
    /// <summary>Its number in the epoch, from 1, one more than the entry before.</summary>
    [Id(0)]
    public long Seq { get; init; }

    [Id(1)]
    public required string QuestionId { get; init; }

    [Id(2)]
    public LogEventKind Kind { get; init; }

    /// <summary>Accepted: the question's text. Delta: the piece, which is never empty and never half of a Unicode scalar. Else empty.</summary>
    [Id(3)]
    public string Text { get; init; } = "";

    /// <summary>Delta: its place in the answer, from 0.</summary>
    [Id(4)]
    public int Index { get; init; }

    /// <summary>Accepted: 0 where the question runs at once, else its place in the queue, from 1.</summary>
    [Id(5)]
    public int Position { get; init; }

    /// <summary>Done: how the question ended. Else null.</summary>
    [Id(6)]
    public QuestionEnd? End { get; init; }

    /// <summary>The frame's <c>type</c>, where <see cref="Kind"/> is none of the known ones; null is <c>event</c>.</summary>
    [Id(7)]
    public string? OtherKind { get; init; }

    /// <summary>The other fields of that frame as one JSON object; null for none.</summary>
    [Id(8)]
    public string? BodyJson { get; init; }

    /// <param name="question">The question's text.</param>
    /// <param name="position">0 where it runs at once, else its place in the queue.</param>
    public static LogEvent Accepted(long seq, string questionId, string question, int position) =>
        new() { Seq = seq, QuestionId = questionId, Kind = LogEventKind.Accepted, Text = question, Position = position };

    /// <param name="index">The delta's place in the answer, from 0.</param>
    public static LogEvent Delta(long seq, string questionId, int index, string text) =>
        new() { Seq = seq, QuestionId = questionId, Kind = LogEventKind.Delta, Text = text, Index = index };

    public static LogEvent Done(long seq, string questionId, QuestionEnd end) =>
        new() { Seq = seq, QuestionId = questionId, Kind = LogEventKind.Done, End = end };

    /// <summary>Without the texts: Orleans writes items to its log.</summary>
    public override string ToString() => $"{Kind} {Seq} {QuestionId}";
}
