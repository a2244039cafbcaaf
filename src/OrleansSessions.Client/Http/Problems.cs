using System.Net;
using System.Text.Json;
using OrleansSessions.Client.Frames;
using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Http;

/// <summary>Reads refusals over HTTP: problem documents, or whatever else a proxy answers.</summary>
internal static class Problems
{
    private const int MaxBytes = 64 * 1024;
    private const int FirstServerError = 500;

    /// <summary>The code of a refusal that is no problem document of this protocol.</summary>
    public const string HttpCode = "http";

    /// <summary>Reads the refusal in a response.</summary>
    public static async Task<SessionRefusedException> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var retryAfter = response.Headers.RetryAfter?.Delta;
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken).ConfigureAwait(false);
            using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            var json = document.RootElement;
            if (json.ValueKind == JsonValueKind.Object && json.Text("code") is { } code)
            {
                return new(code, json.Text("detail") ?? json.Text("title") ?? code)
                {
                    IsRetryable = json.Flag("retryable"),
                    RetryAfter = json.Milliseconds("retry_after_ms") ?? retryAfter,
                    QuestionId = json.Text("question_id"),
                    Parameter = json.Text("param"),
                    ActiveQuestionId = json.Text("active_question_id"),
                    ActiveFor = json.Milliseconds("active_for_ms"),
                };
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException or HttpRequestException or IOException)
        {
            // The status is all that there is then.
        }

        return new(HttpCode, $"The server answered with HTTP status {(int)response.StatusCode} ({response.StatusCode}).")
        {
            IsRetryable = IsRetryable(response.StatusCode),
            RetryAfter = retryAfter,
        };
    }

    /// <summary>True if the same request can succeed later.</summary>
    private static bool IsRetryable(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)status >= FirstServerError;

    /// <summary>True if the session or the question does not exist.</summary>
    public static bool IsAbsent(this SessionRefusedException refusal) =>
        refusal.Code == WireErrors.QuestionNotFound.Code || refusal.Code == WireErrors.SessionNotFound.Code;
}
