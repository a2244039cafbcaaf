using System.Text.Encodings.Web;
using System.Text.Json;

namespace OrleansSessions.Tests.Responders.Upstream;

/// <summary>Events of a stream as OpenAI sends them.</summary>
internal static class Sse
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public const string Done = "data: [DONE]\n\n";

    public static string Event(string data) => $"data: {data}\n\n";

    /// <summary>A chunk with a piece of text.</summary>
    public static string Text(string text) => Delta($$"""{"content":{{Quote(text)}}}""");

    /// <summary>A chunk with this delta.</summary>
    public static string Delta(string delta) => Choice($$"""{"index":0,"delta":{{delta}},"finish_reason":null}""");

    /// <summary>The chunk that ends the text.</summary>
    public static string Finish(string reason = "stop") => Choice($$"""{"index":0,"delta":{},"finish_reason":{{Quote(reason)}}}""");

    /// <summary>A chunk with this choice.</summary>
    public static string Choice(string choice) =>
        Event($$"""{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fake","choices":[{{choice}}]}""");

    /// <summary>The text as a JSON string; only what must be escaped is.</summary>
    public static string Quote(string text) => JsonSerializer.Serialize(text, Relaxed);
}
