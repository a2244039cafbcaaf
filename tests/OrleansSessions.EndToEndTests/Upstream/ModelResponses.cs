using System.Text.Json;
using OrleansSessions.TestKit.Upstream;

namespace OrleansSessions.EndToEndTests.Upstream;

/// <summary>What a model with OpenAI's protocol sends, and how it sees the request.</summary>
internal static class ModelResponses
{
    /// <summary>A comment, which some servers send while the model works.</summary>
    public const string Comment = ": keep-alive\n\n";

    /// <summary>A chunk with a thought of the model, which is not a part of the answer.</summary>
    public static string Thought { get; } = Event("""{"index":0,"delta":{"reasoning_content":"Hmm"},"finish_reason":null}""");

    /// <summary>Sends the head of an answer.</summary>
    public static Task StartAsync(this RawExchange exchange) => exchange.SendHeadAsync(200, ("Content-Type", "text/event-stream"), RawFraming.Chunked);

    /// <summary>Sends a chunk with text.</summary>
    /// <param name="usage">The usage that it reports, as a JSON object, or null.</param>
    public static Task SendTextAsync(this RawExchange exchange, string text, string? usage = null) =>
        exchange.SendBodyAsync(Event($$$"""{"index":0,"delta":{"content":{{{JsonSerializer.Serialize(text)}}}},"finish_reason":null}""", usage));

    /// <summary>Ends an answer whose head was sent.</summary>
    /// <param name="usage">The usage that it reports, as a JSON object, or null.</param>
    public static async Task FinishAsync(this RawExchange exchange, string reason = "stop", string? usage = null)
    {
        await exchange.SendBodyAsync(Event($$"""{"index":0,"delta":{},"finish_reason":"{{reason}}"}"""));
        if (usage is not null)
        {
            await exchange.SendBodyAsync(Event(choice: "", usage));
        }

        await exchange.SendBodyAsync("data: [DONE]\n\n");
        await exchange.EndAsync();
    }

    /// <summary>Sends a whole answer.</summary>
    public static async Task AnswerAsync(this RawExchange exchange, string text)
    {
        await exchange.StartAsync();
        await exchange.SendTextAsync(text);
        await exchange.FinishAsync();
    }

    /// <summary>The messages of the request as (role, text).</summary>
    public static IEnumerable<(string? Role, string? Text)> Messages(this RawExchange exchange) =>
        exchange.Json.GetProperty("messages").EnumerateArray()
            .Select(message => (message.GetProperty("role").GetString(), message.GetProperty("content").GetString()));

    private static string Event(string choice, string? usage = null) =>
        $$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{{choice}}],"usage":{{usage ?? "null"}}}""" + "\n\n";
}
