using System.Globalization;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients;

/// <summary>An HTTP answer with a problem document.</summary>
internal sealed record Refusal(int Status, string Problem, int? RetryAfterSeconds = null)
{
    public static Refusal Of(WireError error, long? retryAfterMs = null)
    {
        var wait = retryAfterMs is null ? "" : string.Create(CultureInfo.InvariantCulture, $$""","retry_after_ms":{{retryAfterMs}}""");
        var retryable = error.IsRetryable ? "true" : "false";
        return new(
            error.HttpStatus,
            $$"""{"type":"about:blank","title":"{{error.Title}}","status":{{error.HttpStatus}},"detail":"Refused by the case.","code":"{{error.Code}}","retryable":{{retryable}}{{wait}},"trace_id":"00000000000000000000000000000001"}""",
            retryAfterMs is { } ms ? (int)((ms + 999) / 1000) : null);
    }

    public async Task WriteAsync(HttpResponse response)
    {
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        if (RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await response.WriteAsync(Problem);
    }
}
