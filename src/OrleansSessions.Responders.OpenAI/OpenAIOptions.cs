using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>Section <c>Responder:OpenAI</c>: an endpoint with OpenAI's chat completions API (Ollama, vLLM, LM Studio, OpenAI).</summary>
public sealed class OpenAIOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder:OpenAI";

    /// <summary>The base address, http or https, including <c>/v1</c>. Default <c>https://api.openai.com/v1</c>.</summary>
    public string Endpoint { get; set; } = "https://api.openai.com/v1";

    /// <summary>The name of the model at the endpoint. Required; no default.</summary>
    public string Model { get; set; } = "";

    /// <summary>The key sent as a bearer token. Default none: a placeholder is sent, which local servers ignore. Never logged.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>The system message sent before the history. Default none.</summary>
    public string SystemPrompt { get; set; } = "";

    /// <summary>The maximum length of an answer, in the model's tokens, at least 1. Default: the endpoint's own.</summary>
    [Within(1)]
    public int? MaxOutputTokens { get; set; }

    /// <summary>The sampling temperature, from 0 (the most likely words) to 2. Default: the endpoint's own.</summary>
    [Within(0.0, 2.0)]
    public float? Temperature { get; set; }

    /// <summary>The time limit for opening a connection, from 1 ms to 10 min. Default 15 s. The session's own timers limit the wait for text.</summary>
    [Within("00:00:00.001", "00:10:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);
}
