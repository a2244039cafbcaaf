using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.SocketGateway.Errors;

/// <summary>An RFC 9457 problem with the error code of the socket.</summary>
internal sealed record ProblemBody
{
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    [JsonPropertyName("title")]
    public required string Title { get; init; }

    [JsonPropertyName("status")]
    public required int Status { get; init; }

    [JsonPropertyName("detail")]
    public required string Detail { get; init; }

    [JsonPropertyName("code")]
    public required string Code { get; init; }

    [JsonPropertyName("retryable")]
    public required bool IsRetryable { get; init; }

    [JsonPropertyName("retry_after_ms")]
    public long? RetryAfterMs { get; init; }

    [JsonPropertyName("param")]
    public string? Param { get; init; }

    [JsonPropertyName("question_id")]
    public string? QuestionId { get; init; }

    [JsonPropertyName("active_question_id")]
    public string? ActiveQuestionId { get; init; }

    [JsonPropertyName("active_for_ms")]
    public long? ActiveForMs { get; init; }

    [JsonPropertyName("expected_offset")]
    public long? ExpectedOffset { get; init; }

    /// <summary>How the question ended. The standard uses the name <c>status</c> for something else.</summary>
    [JsonPropertyName("question_status")]
    public string? QuestionStatus { get; init; }

    [JsonPropertyName("trace_id")]
    public string? TraceId { get; init; }
}

/// <summary>Returns errors over HTTP.</summary>
internal static class Problems
{
    private const string ContentType = "application/problem+json";

    public static IResult From(ErrorMessage error, long? expectedOffset = null, QuestionStatus? ended = null) => new Result(error, expectedOffset, ended);

    private sealed class Result(ErrorMessage error, long? expectedOffset, QuestionStatus? ended) : IResult, IStatusCodeHttpResult
    {
        public int? StatusCode => error.Error.HttpStatus;

        public Task ExecuteAsync(HttpContext httpContext)
        {
            if (error.RetryAfterMs is { } wait)
            {
                // Whole seconds, and never 0: a client that returned at once would be refused again.
                httpContext.Response.Headers.RetryAfter = Math.Max(1, (wait + 999) / 1000).ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            if (error.Error.HttpStatus == StatusCodes.Status401Unauthorized)
            {
                httpContext.Response.Headers.WWWAuthenticate = "Bearer";
            }

            httpContext.Response.StatusCode = error.Error.HttpStatus;
            var body = new ProblemBody
            {
                Type = "about:blank",
                Title = error.Error.Title,
                Status = error.Error.HttpStatus,
                Detail = error.Message,
                Code = error.Error.Code,
                IsRetryable = error.Error.IsRetryable,
                RetryAfterMs = error.RetryAfterMs,
                Param = error.Param,
                QuestionId = error.QuestionId,
                ActiveQuestionId = error.ActiveQuestionId,
                ActiveForMs = error.ActiveForMs,
                ExpectedOffset = expectedOffset,
                QuestionStatus = ended?.ToWire(),
                TraceId = Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier,
            };
            return httpContext.Response.WriteAsJsonAsync(body, ProblemJson.Readable.ProblemBody, ContentType, httpContext.RequestAborted);
        }
    }
}

[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ProblemJson : JsonSerializerContext
{
    /// <summary>Text is not escaped for HTML, because nothing here becomes part of HTML.</summary>
    public static ProblemJson Readable { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
