using System.Text.Json.Serialization;
using OrleansSessions.Protocol;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Http;

/// <summary>A question and its answer.</summary>
internal sealed record QuestionBody
{
    [JsonPropertyName("question_id")]
    public required string QuestionId { get; init; }

    [JsonPropertyName("question")]
    public required string Question { get; init; }

    /// <summary>
    /// <c>queued</c>, <c>accepted</c> or <c>answering</c>; <c>completed</c>, <c>cancelled</c>, <c>failed</c>, <c>timeout</c> or <c>incomplete</c>.
    /// </summary>
    [JsonPropertyName("state")]
    public required string State { get; init; }

    [JsonPropertyName("text")]
    public required string Text { get; init; }

    [JsonPropertyName("deltas")]
    public required int Deltas { get; init; }

    [JsonPropertyName("bytes")]
    public required long Bytes { get; init; }

    [JsonPropertyName("epoch")]
    public required string Epoch { get; init; }

    [JsonPropertyName("accepted_seq")]
    public required long AcceptedSeq { get; init; }

    [JsonPropertyName("done_seq")]
    public long? DoneSeq { get; init; }

    [JsonPropertyName("position")]
    public required int Position { get; init; }

    [JsonPropertyName("attempt")]
    public required int Attempt { get; init; }

    [JsonPropertyName("asked_at")]
    public required DateTimeOffset AskedAt { get; init; }

    [JsonPropertyName("deadline_ms")]
    public long? DeadlineMs { get; init; }

    /// <summary>How the question ended. This field and those after it are omitted while the question is open.</summary>
    [JsonPropertyName("status")]
    public string? Status { get; init; }

    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    [JsonPropertyName("message")]
    public string? Message { get; init; }

    [JsonPropertyName("retryable")]
    public bool? IsRetryable { get; init; }

    [JsonPropertyName("retry_after_ms")]
    public long? RetryAfterMs { get; init; }

    [JsonPropertyName("first_ms")]
    public long? FirstMs { get; init; }

    [JsonPropertyName("total_ms")]
    public long? TotalMs { get; init; }

    public static QuestionBody From(QuestionDescription question) => new()
    {
        QuestionId = question.QuestionId,
        Question = question.Question,
        State = question.Status.ToWire(),
        Text = question.Text,
        Deltas = question.Deltas,
        Bytes = question.Bytes,
        Epoch = Epochs.ToWire(question.Epoch),
        AcceptedSeq = question.AcceptedSeq,
        DoneSeq = question.DoneSeq == 0 ? null : question.DoneSeq,
        Position = question.Position,
        Attempt = question.Attempt,
        AskedAt = question.AskedAt,
        DeadlineMs = question.DeadlineMs,
        Status = question.End?.Status.ToWire(),
        Reason = question.End?.Reason,
        Message = question.End?.Message,
        IsRetryable = question.End?.IsRetryable,
        RetryAfterMs = question.End?.RetryAfterMs,
        FirstMs = question.End?.FirstMs,
        TotalMs = question.End?.TotalMs,
    };
}

internal sealed record QuestionListBody([property: JsonPropertyName("questions")] IReadOnlyList<QuestionBody> Questions);

/// <summary>A question that runs or is queued.</summary>
internal sealed record AcceptedBody(
    [property: JsonPropertyName("question_id")] string QuestionId, [property: JsonPropertyName("state")] string State,
    [property: JsonPropertyName("position")] int Position, [property: JsonPropertyName("epoch")] string Epoch,
    [property: JsonPropertyName("seq")] long Seq);

internal sealed record CancellingBody(
    [property: JsonPropertyName("question_id")] string? QuestionId, [property: JsonPropertyName("state")] string State);

internal sealed record OffsetBody([property: JsonPropertyName("offset")] long Offset);

internal sealed record DeliveredBody(
    [property: JsonPropertyName("question_id")] string? QuestionId, [property: JsonPropertyName("delivered")] bool IsDelivered);

internal sealed record OpenQuestionBody
{
    [JsonPropertyName("question_id")]
    public required string QuestionId { get; init; }

    [JsonPropertyName("state")]
    public required string State { get; init; }

    [JsonPropertyName("question")]
    public required string Question { get; init; }

    [JsonPropertyName("asked_at")]
    public required DateTimeOffset AskedAt { get; init; }

    [JsonPropertyName("attempt")]
    public required int Attempt { get; init; }

    [JsonPropertyName("bytes")]
    public required long Bytes { get; init; }

    [JsonPropertyName("deadline_ms")]
    public long? DeadlineMs { get; init; }

    public static OpenQuestionBody From(QuestionDescription question) => new()
    {
        QuestionId = question.QuestionId,
        State = question.Status.ToWire(),
        Question = question.Question,
        AskedAt = question.AskedAt,
        Attempt = question.Attempt,
        Bytes = question.Bytes,
        DeadlineMs = question.DeadlineMs,
    };
}

internal sealed record SessionBody
{
    [JsonPropertyName("session")]
    public required string Session { get; init; }

    [JsonPropertyName("state")]
    public required string State { get; init; }

    [JsonPropertyName("epoch")]
    public required string Epoch { get; init; }

    [JsonPropertyName("seq")]
    public required long Seq { get; init; }

    [JsonPropertyName("oldest_seq")]
    public required long OldestSeq { get; init; }

    [JsonPropertyName("connections")]
    public required int Connections { get; init; }

    [JsonPropertyName("open")]
    public required IReadOnlyList<OpenQuestionBody> Open { get; init; }

    [JsonPropertyName("expires_at")]
    public DateTimeOffset? ExpiresAt { get; init; }

    public static SessionBody From(string session, SessionDescription description) => new()
    {
        Session = session,
        State = description.Open.Length == 0 ? "idle" : description.Open[0].Status.ToWire(),
        Epoch = Epochs.ToWire(description.Epoch),
        Seq = description.Seq,
        OldestSeq = description.OldestSeq,
        Connections = description.Connections,
        Open = [.. description.Open.Select(OpenQuestionBody.From)],
        ExpiresAt = description.ExpiresAt,
    };
}

/// <summary>The sessions of a scope, those with the latest questions first.</summary>
internal sealed record SessionListBody(
    [property: JsonPropertyName("scope")] string Scope, [property: JsonPropertyName("sessions")] IReadOnlyList<ListedSessionBody> Sessions,
    [property: JsonPropertyName("next")] string? Next);

internal sealed record ListedSessionBody(
    [property: JsonPropertyName("session")] string Session, [property: JsonPropertyName("last_question")] string LastQuestion,
    [property: JsonPropertyName("updated_at")] DateTimeOffset UpdatedAt)
{
    public static ListedSessionBody From(ListedSession session) => new(session.SessionId, session.LastQuestion, session.UpdatedAt);
}

// The request bodies. These types only describe them for OpenAPI, because the endpoints parse them more strictly than a serializer would.

/// <summary>The question frame of a socket.</summary>
internal sealed record AskBody(
    [property: JsonPropertyName("question")] string Question, [property: JsonPropertyName("id")] string? Id,
    [property: JsonPropertyName("if_busy")] string? IfBusy, [property: JsonPropertyName("metadata")] IDictionary<string, object>? Metadata,
    [property: JsonPropertyName("options")] IDictionary<string, object>? Options);

internal sealed record AnswerErrorBody(
    [property: JsonPropertyName("code")] string Code, [property: JsonPropertyName("message")] string? Message);

internal sealed record AnswerPieceBody(
    [property: JsonPropertyName("attempt")] int Attempt, [property: JsonPropertyName("offset")] long Offset,
    [property: JsonPropertyName("text")] string? Text, [property: JsonPropertyName("final")] bool? IsFinal,
    [property: JsonPropertyName("error")] AnswerErrorBody? Error);

internal sealed record WholeAnswerBody(
    [property: JsonPropertyName("response")] string Response, [property: JsonPropertyName("question_id")] string? QuestionId);
