using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>Lets Orleans carry <see cref="OpenQuestion"/>, whose project knows no Orleans.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.OpenQuestion")]
internal struct OpenQuestionSurrogate
{
    [Id(0)]
    public string QuestionId { get; set; }

    [Id(1)]
    public QuestionStatus State { get; set; }

    [Id(2)]
    public long AgeMs { get; set; }
}

/// <summary>Lets Orleans carry <see cref="QuestionEnd"/>, whose project knows no Orleans.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.QuestionEnd")]
internal struct QuestionEndSurrogate
{
    [Id(0)]
    public QuestionStatus Status { get; set; }

    [Id(1)]
    public string? Reason { get; set; }

    [Id(2)]
    public string? Message { get; set; }

    [Id(3)]
    public bool IsRetryable { get; set; }

    [Id(4)]
    public int Deltas { get; set; }

    [Id(5)]
    public long Bytes { get; set; }

    [Id(6)]
    public long? FirstMs { get; set; }

    [Id(7)]
    public long TotalMs { get; set; }

    [Id(8)]
    public long? RetryAfterMs { get; set; }
}

[RegisterConverter]
internal sealed class OpenQuestionConverter : IConverter<OpenQuestion, OpenQuestionSurrogate>
{
    public OpenQuestion ConvertFromSurrogate(in OpenQuestionSurrogate surrogate) => new(surrogate.QuestionId, surrogate.State, surrogate.AgeMs);

    public OpenQuestionSurrogate ConvertToSurrogate(in OpenQuestion value) =>
        new() { QuestionId = value.QuestionId, State = value.State, AgeMs = value.AgeMs };
}

[RegisterConverter]
internal sealed class QuestionEndConverter : IConverter<QuestionEnd, QuestionEndSurrogate>
{
    public QuestionEnd ConvertFromSurrogate(in QuestionEndSurrogate surrogate) => new()
    {
        Status = surrogate.Status,
        Reason = surrogate.Reason,
        Message = surrogate.Message,
        IsRetryable = surrogate.IsRetryable,
        Deltas = surrogate.Deltas,
        Bytes = surrogate.Bytes,
        FirstMs = surrogate.FirstMs,
        TotalMs = surrogate.TotalMs,
        RetryAfterMs = surrogate.RetryAfterMs,
    };

    public QuestionEndSurrogate ConvertToSurrogate(in QuestionEnd value) => new()
    {
        Status = value.Status,
        Reason = value.Reason,
        Message = value.Message,
        IsRetryable = value.IsRetryable,
        Deltas = value.Deltas,
        Bytes = value.Bytes,
        FirstMs = value.FirstMs,
        TotalMs = value.TotalMs,
        RetryAfterMs = value.RetryAfterMs,
    };
}
