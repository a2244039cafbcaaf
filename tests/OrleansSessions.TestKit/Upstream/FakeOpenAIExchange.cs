using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace OrleansSessions.TestKit.Upstream;

/// <summary>One request to <see cref="FakeOpenAIServer"/> and its answer, which the test controls step by step. Call only one step at a time.</summary>
public sealed class FakeOpenAIExchange
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HttpContext _context;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal FakeOpenAIExchange(HttpContext context, JsonElement request)
    {
        _context = context;
        Request = request;
        Authorization = context.Request.Headers.Authorization;
        context.RequestAborted.Register(() =>
        {
            _closed.TrySetResult();
            _ended.TrySetResult();
        });
    }

    public JsonElement Request { get; }

    /// <summary>The key from the bearer token.</summary>
    public string? Authorization { get; }

    /// <summary>The messages as (role, text).</summary>
    public IReadOnlyList<(string Role, string Text)> Messages =>
        [.. Request.GetProperty("messages").EnumerateArray().Select(message => (message.GetProperty("role").GetString()!, TextOf(message.GetProperty("content"))))];

    /// <summary>Completes when the client has closed the connection before the answer was complete.</summary>
    public Task ClosedByClient => _closed.Task;

    internal Task Ended => _ended.Task;

    /// <summary>Sends a piece of text. It has been sent when this method returns.</summary>
    public Task SendAsync(string text) => SendDeltaAsync(JsonSerializer.Serialize(new { content = text }, Relaxed));

    /// <summary>Sends a <c>delta</c> object unchanged, for content that a serializer would not write.</summary>
    public Task SendDeltaAsync(string deltaJson) => SendEventAsync(Chunk(deltaJson, finishReason: null));

    /// <summary>Sends a piece of a refusal.</summary>
    public Task RefuseAsync(string refusal) => SendDeltaAsync(JsonSerializer.Serialize(new { refusal }, Relaxed));

    /// <summary>Ends the answer normally: finish reason, <c>[DONE]</c>, end of the stream.</summary>
    public async Task FinishAsync(string finishReason = "stop")
    {
        await SendEventAsync(Chunk("{}", finishReason));
        await SendEventAsync("[DONE]");
        _ended.TrySetResult();
    }

    /// <summary>Sends all pieces and finishes the answer.</summary>
    public async Task AnswerAsync(params string[] pieces)
    {
        foreach (var piece in pieces)
        {
            await SendAsync(piece);
        }

        await FinishAsync();
    }

    /// <summary>Ends the stream normally, but without a finish reason.</summary>
    public void EndEarly() => _ended.TrySetResult();

    /// <summary>Resets the connection in the middle of the answer.</summary>
    public void Reset()
    {
        _context.Abort();
        _ended.TrySetResult();
    }

    /// <summary>Sends an error event in the middle of the answer, as some servers do, and ends the stream.</summary>
    public async Task FailMidStreamAsync()
    {
        await SendEventAsync("""{"error":{"message":"out of memory, key sk-secret","type":"server_error","code":null}}""");
        _ended.TrySetResult();
    }

    /// <summary>Answers with an error status instead of a stream.</summary>
    public async Task FailAsync(int status, string body = """{"error":{"message":"no, key sk-secret","type":"some_error","code":null}}""")
    {
        _context.Response.StatusCode = status;
        _context.Response.ContentType = "application/json";
        await _context.Response.WriteAsync(body);
        _ended.TrySetResult();
    }

    /// <summary>Sends one server-sent event.</summary>
    public async Task SendEventAsync(string data)
    {
        if (!_context.Response.HasStarted)
        {
            _context.Response.ContentType = "text/event-stream";
        }

        await _context.Response.WriteAsync($"data: {data}\n\n");
        await _context.Response.Body.FlushAsync();
    }

    private static string Chunk(string deltaJson, string? finishReason) =>
        $$"""{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{"index":0,"delta":{{deltaJson}},"finish_reason":{{(finishReason is null ? "null" : $"\"{finishReason}\"")}}}]}""";

    private static string TextOf(JsonElement content) => content.ValueKind == JsonValueKind.Array
        ? string.Concat(content.EnumerateArray().Select(part => part.GetProperty("text").GetString()))
        : content.GetString()!;
}
