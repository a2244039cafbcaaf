using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using OrleansSessions.Protocol;
using OrleansSessions.TestKit.Sockets;
using Xunit;

namespace OrleansSessions.EndToEndTests.Servers;

/// <summary>A response over HTTP.</summary>
public sealed record HttpAnswer(HttpStatusCode Status, HttpResponseHeaders Headers, string? ContentType, JsonElement Body);

/// <summary>HTTP requests of the tests: JSON in, status and JSON out.</summary>
internal static class HttpCalls
{
    public static Task<HttpAnswer> AskAsync(this HttpClient http, string session, string body, params (string Name, string Value)[] headers) =>
        http.CallAsync(HttpMethod.Post, $"/v1/sessions/{session}/questions", body, headers);

    public static Task<HttpAnswer> RespondAsync(this HttpClient http, string session, string text, string? questionId = null) => http.CallAsync(
        HttpMethod.Post, $"/v1/sessions/{session}/response", JsonSerializer.Serialize(new { response = text, question_id = questionId }));

    public static Task<HttpAnswer> AnswerAsync(
        this HttpClient http, string session, string questionId, long offset, string text, bool isFinal = false, int attempt = 1) => http.CallAsync(
        HttpMethod.Post, $"/v1/sessions/{session}/questions/{questionId}/answer",
        JsonSerializer.Serialize(new { attempt, offset, text, final = isFinal }));

    /// <summary>The state of a question, or a problem document.</summary>
    public static async Task<JsonElement> QuestionAsync(this HttpClient http, string session, string questionId) =>
        (await http.CallAsync(HttpMethod.Get, $"/v1/sessions/{session}/questions/{questionId}")).Body;

    public static async Task<HttpAnswer> CallAsync(
        this HttpClient http, HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(
            response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType,
            text.StartsWith('{') ? JsonSerializer.Deserialize<JsonElement>(text) : default);
    }

    /// <summary>Checks the response against the error's row in the table: status, retryable, and the form of RFC 9457.</summary>
    public static JsonElement IsError(this HttpAnswer answer, WireError error, string? questionId = null)
    {
        Assert.Equal((error.Code, error.HttpStatus), (answer.Body.Text("code"), (int)answer.Status));
        Assert.Equal("application/problem+json", answer.ContentType);
        Assert.Equal(error.HttpStatus, answer.Body.Number("status"));
        Assert.Equal(error.IsRetryable, answer.Body.Flag("retryable"));
        Assert.Equal(error.Title, answer.Body.Text("title"));
        Assert.NotNull(answer.Body.Text("detail"));
        Assert.NotNull(answer.Body.Text("trace_id"));
        Assert.Equal(questionId, answer.Body.Text("question_id"));
        return answer.Body;
    }
}

/// <summary>Creates ids that no other test uses.</summary>
internal static class Names
{
    public static string Session(string prefix = "s") => $"{prefix}-{Guid.NewGuid():N}";

    public static string Question() => $"q-{Guid.NewGuid():N}"[..16];
}
