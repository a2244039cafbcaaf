using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>A question and its answer, in one turn of the session's grain.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.QuestionDescription")]
public sealed record QuestionDescription
{
    [Id(0)]
    public required string QuestionId { get; init; }

    /// <summary>The text asked.</summary>
    [Id(1)]
    public required string Question { get; init; }

    /// <summary>The answer so far, or all of it.</summary>
    [Id(2)]
    public required string Text { get; init; }

    /// <summary>How many deltas make <see cref="Text"/>.</summary>
    [Id(3)]
    public int Deltas { get; init; }

    /// <summary>The length of <see cref="Text"/> in UTF-8 bytes.</summary>
    [Id(4)]
    public long Bytes { get; init; }

    [Id(5)]
    public QuestionStatus Status { get; init; }

    [Id(6)]
    public long Epoch { get; init; }

    /// <summary>The number of its <c>accepted</c> event.</summary>
    [Id(7)]
    public long AcceptedSeq { get; init; }

    /// <summary>The number of its <c>done</c> event; 0 while it is open.</summary>
    [Id(8)]
    public long DoneSeq { get; init; }

    /// <summary>0 for the running one and ended ones, else its place in the queue.</summary>
    [Id(9)]
    public int Position { get; init; }

    /// <summary>Which attempt at an answer counts, from 1.</summary>
    [Id(10)]
    public int Attempt { get; init; }

    [Id(11)]
    public DateTimeOffset AskedAt { get; init; }

    /// <summary>When it ends at the latest, by the clock of the session's silo; null once it has.</summary>
    [Id(12)]
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>How it ended; null while it is open.</summary>
    [Id(13)]
    public QuestionEnd? End { get; init; }

    /// <summary>How long until <see cref="Deadline"/>, in milliseconds: the same on machines whose clocks differ.</summary>
    [Id(14)]
    public long? DeadlineMs { get; init; }

    /// <summary>Without the texts: Orleans writes replies to its log.</summary>
    public override string ToString() => $"{nameof(QuestionDescription)} {QuestionId} {Status}";
}
