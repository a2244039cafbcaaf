using System.Text;
using System.Text.Json;
using OrleansSessions.Fuzz.Hosts;
using OrleansSessions.Protocol;

namespace OrleansSessions.Fuzz.Requests;

/// <summary>What must hold for each response.</summary>
internal static class ResponseChecks
{
    private const string ApiPath = "/v1/sessions";
    private const int HttpVersionNotSupported = 505;
    private const int MaxDetailChars = 2_000;

    public static string? Find(Response response)
    {
        var seen = response.Header(SeenRequests.Header) is { } header ? Uri.UnescapeDataString(header) : null;
        if (response.Status >= 500)
        {
            // The web server itself answers this before the application has seen anything.
            return seen is null && response.Status == HttpVersionNotSupported
                ? null
                : $"the status is {response.Status}, for {seen ?? "what the application has not seen"}: {Encoding.UTF8.GetString(response.Body)}";
        }

        if (seen is null || !response.IsComplete || seen.StartsWith("HEAD ", StringComparison.Ordinal))
        {
            return null;
        }

        return response.Status >= 400 && IsApi(seen) ? FindInProblem(response, seen)
            : IsType(response, "application/json") && !IsJson(response.Body) ? $"the body is not JSON, for {seen}"
            : null;
    }

    private static string? FindInProblem(Response response, string seen)
    {
        if (!IsType(response, "application/problem+json"))
        {
            return $"the status is {response.Status} and the body no problem document but {response.Header("Content-Type")}, for {seen}";
        }

        using var document = JsonDocument.Parse(response.Body);
        var problem = document.RootElement;
        var code = problem.GetProperty("code").GetString();
        var row = WireErrors.Find(code ?? "");
        return row is null ? $"the problem's code is '{code}', for {seen}"
            : row.HttpStatus != response.Status ? $"the status of {code} is {response.Status}, for {seen}"
            : problem.GetProperty("status").GetInt32() != response.Status ? $"the status in {code} is another one, for {seen}"
            : problem.GetProperty("retryable").GetBoolean() != row.IsRetryable ? $"retryable of {code} is wrong, for {seen}"
            : problem.GetProperty("detail").GetString() is not { Length: > 0 and < MaxDetailChars } ? $"the detail of {code} is missing or too long, for {seen}"
            : null;
    }

    private static bool IsType(Response response, string type) => response.Header("Content-Type")?.StartsWith(type, StringComparison.Ordinal) == true;

    /// <summary>True for addresses of the API. Their case does not matter to routing.</summary>
    private static bool IsApi(string seen)
    {
        var path = seen[(seen.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        return path.Equals(ApiPath, StringComparison.OrdinalIgnoreCase) || path.StartsWith(ApiPath + "/", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsJson(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
