using OrleansSessions.Log;
using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <param name="Gateway">The socket gateway's instance id.</param>
/// <param name="Connections">How many connections of this session it now holds.</param>
/// <param name="Version">Grows with each change of <paramref name="Connections"/>, so that a late call cannot undo a newer one.</param>
/// <param name="WantsSnapshot">True to get the text of an open answer along.</param>
/// <param name="BasicConnection">The basic socket that opens with this call, else null. It outranks older ones that are not heard from again.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AttachRequest")]
public sealed record AttachRequest(
    [property: Id(0)] string Gateway, [property: Id(1)] int Connections, [property: Id(2)] long Version, [property: Id(3)] bool WantsSnapshot,
    [property: Id(4)] string? BasicConnection = null);

/// <param name="Seq">The head of the log in the turn that registered the socket gateway: its items begin after it.</param>
/// <param name="Open">Running first, then queued in order.</param>
/// <param name="Snapshot">The open answer, if one is open and it was wanted.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AttachReply")]
public sealed record AttachReply(
    [property: Id(0)] long Epoch, [property: Id(1)] long Seq, [property: Id(2)] OpenQuestion[] Open, [property: Id(3)] QuestionDescription? Snapshot,
    [property: Id(4)] string Responder);

/// <param name="Connection">The connection that is gone. A question that it asked without an id is orphaned.</param>
/// <param name="Connections">How many connections of this session the socket gateway still holds.</param>
/// <param name="Version">As in <see cref="AttachRequest"/>.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.DetachRequest")]
public sealed record DetachRequest(
    [property: Id(0)] string Gateway, [property: Id(1)] string? Connection, [property: Id(2)] int Connections, [property: Id(3)] long Version);

/// <param name="Gateway">Registered, if the read reaches the head; null registers nobody.</param>
/// <param name="Epoch">The epoch that <paramref name="AfterSeq"/> belongs to.</param>
/// <param name="Connections">As in <see cref="AttachRequest"/>.</param>
/// <param name="Version">As in <see cref="AttachRequest"/>.</param>
/// <param name="MaxBytes">About how much text to return, in UTF-8 bytes. At least one event is returned where there is one.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ReadLogRequest")]
public sealed record ReadLogRequest(
    [property: Id(0)] string? Gateway, [property: Id(1)] long Epoch, [property: Id(2)] long AfterSeq, [property: Id(3)] int Connections,
    [property: Id(4)] long Version, [property: Id(5)] int MaxBytes);

/// <summary>Whether a position could be read on from, and if not, why.</summary>
public enum LogReadOutcome
{
    /// <summary>Events follow the position without a hole.</summary>
    Recovered = 0,

    /// <summary>Nothing of that session's log is left.</summary>
    Expired = 1,

    /// <summary>The events after that position are no longer held.</summary>
    Trimmed = 2,

    /// <summary>The position belongs to another life of the log.</summary>
    EpochChanged = 3,
}

/// <param name="Events">In order, without a hole, from the position on. Empty unless recovered.</param>
/// <param name="Head">The last number of the log in this turn.</param>
/// <param name="IsAtHead">True if <paramref name="Events"/> ends at the head, and always where not recovered: the socket gateway is registered from there on.</param>
/// <param name="Snapshot">Where not recovered: the open answer or else the last one, if any.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LogPiece")]
public sealed record LogPiece(
    [property: Id(0)] LogReadOutcome Outcome, [property: Id(1)] long Epoch, [property: Id(2)] long Head, [property: Id(3)] LogEvent[] Events,
    [property: Id(4)] bool IsAtHead, [property: Id(5)] OpenQuestion[] Open, [property: Id(6)] QuestionDescription? Snapshot);

/// <param name="Gateway">Null where no socket asks; else it is registered for events before the question is admitted.</param>
/// <param name="Connection">Who asks, for orphans; null over HTTP.</param>
/// <param name="QuestionId">Null lets the grain make one.</param>
/// <param name="IsOrphanable">True for a basic socket's question without an id: it may be replaced once that socket is gone.</param>
/// <param name="MetadataJson">A JSON object as text, handed to the responder; null for none.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AskRequest")]
public sealed record AskRequest(
    [property: Id(0)] string? Gateway, [property: Id(1)] string? Connection, [property: Id(2)] string? QuestionId, [property: Id(3)] string Question,
    [property: Id(4)] IfBusy IfBusy, [property: Id(5)] bool IsOrphanable, [property: Id(6)] string? MetadataJson)
{
    /// <summary>Without the texts: Orleans logs messages as they print.</summary>
    public override string ToString() => $"{nameof(AskRequest)} {QuestionId}";
}

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
}

/// <param name="QuestionId">The id it has, or would have had.</param>
/// <param name="Seq">The number of its <c>accepted</c> event, where it was accepted now or before; else 0.</param>
/// <param name="Position">0 where it runs at once, else its place in the queue, from 1.</param>
/// <param name="Earlier">For a duplicate: the question as it stands.</param>
/// <param name="ActiveQuestionId">For busy and a full queue: what is running.</param>
/// <param name="ActiveForMs">For how long, in milliseconds.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AskReply")]
public sealed record AskReply(
    [property: Id(0)] AskOutcome Outcome, [property: Id(1)] string QuestionId, [property: Id(2)] long Epoch, [property: Id(3)] long Seq,
    [property: Id(4)] int Position = 0, [property: Id(5)] QuestionDescription? Earlier = null, [property: Id(6)] string? ActiveQuestionId = null,
    [property: Id(7)] long ActiveForMs = 0);

public enum CancelOutcome
{
    /// <summary>It ends now: after <see cref="CancelReply.AfterSeq"/> only its terminal event follows.</summary>
    Cancelling = 0,

    /// <summary>It had ended before; see <see cref="CancelReply.Question"/>.</summary>
    AlreadyDone = 1,

    /// <summary>No such question, or no id was given and none is running.</summary>
    NotFound = 2,
}

/// <param name="AfterSeq">The head of the log just before the terminal event.</param>
/// <param name="Question">For one that had ended: how.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.CancelReply")]
public sealed record CancelReply(
    [property: Id(0)] CancelOutcome Outcome, [property: Id(1)] string? QuestionId, [property: Id(2)] long Epoch, [property: Id(3)] long AfterSeq,
    [property: Id(4)] QuestionDescription? Question = null);

public enum AnswerOutcome
{
    /// <summary>Taken, now or by an earlier call with the same piece.</summary>
    Taken = 0,

    /// <summary>No question is open that waits for an answer from outside.</summary>
    NoOpenQuestion = 1,

    /// <summary>No question has that id.</summary>
    NotFound = 2,

    /// <summary>The question has ended.</summary>
    AlreadyDone = 3,

    /// <summary>A newer attempt answers it.</summary>
    StaleAttempt = 4,

    /// <summary>The piece does not begin where the answer ends.</summary>
    OffsetMismatch = 5,
}

/// <param name="QuestionId">Null: the running question.</param>
/// <param name="Response">The whole answer.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.RespondRequest")]
public sealed record RespondRequest([property: Id(0)] string? QuestionId, [property: Id(1)] string Response)
{
    /// <summary>Without the text: Orleans writes requests into its log.</summary>
    public override string ToString() => $"{nameof(RespondRequest)} {QuestionId}";
}

/// <param name="IsDelivered">True if a socket was attached to see it.</param>
/// <param name="Status">For a question that had ended: how.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.RespondReply")]
public sealed record RespondReply(
    [property: Id(0)] AnswerOutcome Outcome, [property: Id(1)] string? QuestionId, [property: Id(2)] bool IsDelivered,
    [property: Id(3)] QuestionStatus? Status = null);

/// <param name="Attempt">Which attempt this answers, as the session's description tells.</param>
/// <param name="Offset">How many UTF-8 bytes of answer the caller believes to have been taken before this piece.</param>
/// <param name="IsFinal">True for the last piece.</param>
/// <param name="ErrorCode">Not null ends the question as failed.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AppendRequest")]
public sealed record AppendRequest(
    [property: Id(0)] string QuestionId, [property: Id(1)] int Attempt, [property: Id(2)] long Offset, [property: Id(3)] string Text,
    [property: Id(4)] bool IsFinal, [property: Id(5)] string? ErrorCode = null, [property: Id(6)] string? ErrorMessage = null)
{
    /// <summary>Without the texts: Orleans logs messages as they print.</summary>
    public override string ToString() => $"{nameof(AppendRequest)} {QuestionId} at {Offset}";
}

/// <param name="Offset">UTF-8 bytes taken so far: where the next piece begins.</param>
/// <param name="Status">For a question that had ended: how.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AppendReply")]
public sealed record AppendReply(
    [property: Id(0)] AnswerOutcome Outcome, [property: Id(1)] long Offset, [property: Id(2)] QuestionStatus? Status = null);

/// <param name="Seq">The head of the log.</param>
/// <param name="OldestSeq">The oldest event still held; <c>Seq + 1</c> where none is.</param>
/// <param name="Connections">Sockets attached, as far as the socket gateways have told.</param>
/// <param name="ExpiresAt">When it will be forgotten if nobody calls; null while a question is open or a socket attached.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionDescription")]
public sealed record SessionDescription(
    [property: Id(0)] long Epoch, [property: Id(1)] long Seq, [property: Id(2)] long OldestSeq, [property: Id(3)] int Connections,
    [property: Id(4)] QuestionDescription[] Open, [property: Id(5)] DateTimeOffset? ExpiresAt);

/// <summary>A question and its answer, as they stand in one turn of the grain.</summary>
/// <param name="Question">The text asked.</param>
/// <param name="Text">The answer so far, or all of it.</param>
/// <param name="Deltas">How many deltas make <paramref name="Text"/>.</param>
/// <param name="Bytes">Its length in UTF-8 bytes.</param>
/// <param name="AcceptedSeq">The number of its <c>accepted</c> event.</param>
/// <param name="DoneSeq">The number of its <c>done</c> event; 0 while it is open.</param>
/// <param name="Position">0 for the running one and ended ones, else its place in the queue.</param>
/// <param name="Deadline">When it ends at the latest, by the clock of the session's silo; null once it has.</param>
/// <param name="End">How it ended; null while it is open.</param>
/// <param name="DeadlineMs">How long until <paramref name="Deadline"/>, in milliseconds: the same on machines whose clocks differ.</param>
[GenerateSerializer, Immutable, Alias("OrleansSessions.QuestionDescription")]
public sealed record QuestionDescription(
    [property: Id(0)] string QuestionId, [property: Id(1)] string Question, [property: Id(2)] string Text, [property: Id(3)] int Deltas,
    [property: Id(4)] long Bytes, [property: Id(5)] QuestionStatus Status, [property: Id(6)] long Epoch, [property: Id(7)] long AcceptedSeq,
    [property: Id(8)] long DoneSeq, [property: Id(9)] int Position, [property: Id(10)] int Attempt, [property: Id(11)] DateTimeOffset AskedAt,
    [property: Id(12)] DateTimeOffset? Deadline, [property: Id(13)] QuestionEnd? End, [property: Id(14)] long? DeadlineMs = null)
{
    /// <summary>Without the texts: Orleans logs messages as they print.</summary>
    public override string ToString() => $"{nameof(QuestionDescription)} {QuestionId} {Status}";
}
