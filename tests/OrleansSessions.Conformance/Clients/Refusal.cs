using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OrleansSessions.Protocol;

namespace OrleansSessions.Conformance.Clients;

/// <summary>An HTTP answer with a problem document.</summary>
internal sealed record Refusal(int Status, string Problem, int? RetryAfterSeconds = null)
{
    public static Refusal Of(WireError error, long? retryAfterMs = null)
    {
        var problem = new JsonObject
        {
            ["type"] = "about:blank",
            ["title"] = error.Title,
            ["status"] = error.HttpStatus,
            ["detail"] = "Refused by the case.",
            ["code"] = error.Code,
            ["retryable"] = error.IsRetryable,
            ["trace_id"] = "00000000000000000000000000000001",
        };
        if (retryAfterMs is not null)
        {
            problem["retry_after_ms"] = retryAfterMs;
        }

        return new(
            error.HttpStatus, problem.ToJsonString(),
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
