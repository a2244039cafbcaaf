using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>Section <c>Responder:OpenAI</c>: any endpoint that speaks OpenAI's chat completions (Ollama, vLLM, LM Studio, OpenAI).</summary>
public sealed class OpenAIOptions : ISectionOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder:OpenAI";

    /// <summary>The base address, http or https, up to and with <c>/v1</c>. Default <c>https://api.openai.com/v1</c>.</summary>
    public string Endpoint { get; set; } = "https://api.openai.com/v1";

    /// <summary>The model's name, as the endpoint spells it. Required; no default.</summary>
    public string Model { get; set; } = "";

    /// <summary>The key sent as a bearer token. Default none, which sends a placeholder: local servers ignore it. Never logged.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>Sent before the history, as the system's message. Default none.</summary>
    public string SystemPrompt { get; set; } = "";

    /// <summary>The longest answer to ask for, in the model's tokens, at least 1. Default: the endpoint's own.</summary>
    [Within(1)]
    public int? MaxOutputTokens { get; set; }

    /// <summary>From 0 (the likeliest words) to 2. Default: the endpoint's own.</summary>
    [Within(0.0, 2.0)]
    public float? Temperature { get; set; }

    /// <summary>How long opening a connection may take, from 1 ms to 10 min. Default 15 s. Waiting for words is up to the session's own timers.</summary>
    [Within("00:00:00.001", "00:10:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);
}
