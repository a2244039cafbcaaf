using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>Asks a question.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AskRequest")]
public sealed record AskRequest : SessionRequest
{
    /// <summary>The socket gateway that asks, which is subscribed before the question is admitted; null where no socket asks.</summary>
    [Id(0)]
    public string? Gateway { get; init; }

    /// <summary>The connection that asks, for orphans; null over HTTP.</summary>
    [Id(1)]
    public string? Connection { get; init; }

    /// <summary>Null lets the grain make one.</summary>
    [Id(2)]
    public string? QuestionId { get; init; }

    /// <summary>The text.</summary>
    [Id(3)]
    public required string Question { get; init; }

    /// <summary>What to do while another question is open.</summary>
    [Id(4)]
    public IfBusy IfBusy { get; init; }

    /// <summary>True for a basic socket's question without an id: it may be replaced once that socket is gone.</summary>
    [Id(5)]
    public bool IsOrphanable { get; init; }

    /// <summary>A JSON object as text, handed to the responder; null for none.</summary>
    [Id(6)]
    public string? MetadataJson { get; init; }

    /// <summary>A JSON object as text, for the responder, which decides which options it takes; null for none.</summary>
    [Id(7)]
    public string? OptionsJson { get; init; }

    /// <summary>Without the texts: Orleans writes requests to its log.</summary>
    public override string ToString() => $"{nameof(AskRequest)} {QuestionId}";
}

/// <summary>What became of a question.</summary>
public enum AskOutcome
{
    /// <summary>It runs, or waits in the queue at <see cref="AskReply.Position"/>.</summary>
    Accepted = 0,

    /// <summary>The id was asked before with the same text; see <see cref="AskReply.Earlier"/>.</summary>
    Duplicate = 1,

    /// <summary>Another question is open.</summary>
    Busy = 2,

    /// <summary>The queue is full.</summary>
    QueueFull = 3,

    /// <summary>The id was asked before with another text.</summary>
    Conflict = 4,

    /// <summary>The question is longer than <see cref="SessionsOptions.MaxQuestionBytes"/>.</summary>
    TooLarge = 5,

    /// <summary>The question has no text.</summary>
    Empty = 6,

    /// <summary>The responder does not take the question's options; see <see cref="AskReply.FaultyOption"/>.</summary>
    BadOptions = 7,

    /// <summary>The scope has as many open questions, or as many sessions, as it may have; see <see cref="AskReply.FaultMessage"/>.</summary>
    QuotaExceeded = 8,
}

/// <summary>What a scope has as much of as it may have.</summary>
public enum AskQuota
{
    None = 0,

    /// <summary>Open questions.</summary>
    OpenQuestions = 1,

    /// <summary>Sessions.</summary>
    Sessions = 2,
}

/// <summary>Whether a question was accepted, and if not, why.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AskReply")]
public sealed record AskReply
{
    [Id(0)]
    public AskOutcome Outcome { get; init; }

    /// <summary>The id that the question has, or would have had.</summary>
    [Id(1)]
    public required string QuestionId { get; init; }

    [Id(2)]
    public long Epoch { get; init; }

    /// <summary>The number of its <c>accepted</c> event, where it was accepted now or before; else 0.</summary>
    [Id(3)]
    public long Seq { get; init; }

    /// <summary>0 where it runs at once, else its place in the queue, from 1.</summary>
    [Id(4)]
    public int Position { get; init; }

    /// <summary>For a duplicate: the question as it now is.</summary>
    [Id(5)]
    public QuestionDescription? Earlier { get; init; }

    /// <summary>For busy and a full queue: the id of the running question.</summary>
    [Id(6)]
    public string? ActiveQuestionId { get; init; }

    /// <summary>For how long that question has run, in milliseconds.</summary>
    [Id(7)]
    public long ActiveForMs { get; init; }

    /// <summary>For refused options: the name of the faulty one; empty where the options as a whole are.</summary>
    [Id(8)]
    public string? FaultyOption { get; init; }

    /// <summary>For refused options and quotas: what is wrong, for people.</summary>
    [Id(9)]
    public string? FaultMessage { get; init; }

    /// <summary>For an exceeded quota: which one.</summary>
    [Id(10)]
    public AskQuota ExceededQuota { get; init; }

    /// <summary>Without the texts: Orleans writes replies to its log.</summary>
    public override string ToString() => $"{nameof(AskReply)} {QuestionId} {Outcome} at {Epoch}:{Seq}";
}
