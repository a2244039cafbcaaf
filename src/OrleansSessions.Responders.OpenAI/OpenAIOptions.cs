using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>Section <c>Responder:OpenAI</c>: an endpoint with OpenAI's chat completions API (Ollama, vLLM, LM Studio, OpenAI).</summary>
public sealed class OpenAIOptions : ISectionOptions, IModelOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder:OpenAI";

    /// <summary>
    /// The base address, http or https, usually ending in <c>/v1</c>; an address that ends in <c>/chat/completions</c> is used as it is.
    /// A query is kept. Default <c>https://api.openai.com/v1</c>.
    /// </summary>
    public string Endpoint { get; set; } = "https://api.openai.com/v1";

    /// <summary>The name of the model at the endpoint. Required; no default.</summary>
    public string Model { get; set; } = "";

    /// <summary>The key sent as a bearer token. Default none: no <c>Authorization</c> is sent. Never logged.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>Headers added to each request, as names and values, for example <c>api-key</c> for Azure. Default none. The values are never logged.</summary>
    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The system message sent before the history. Default none.</summary>
    public string SystemPrompt { get; set; } = "";

    /// <summary>The maximum length of an answer, in the model's tokens, at least 1. Default: the endpoint's own.</summary>
    [Within(1)]
    public int? MaxOutputTokens { get; set; }

    /// <summary>
    /// The request field that carries <see cref="MaxOutputTokens"/>. Default <c>MaxCompletionTokens</c>; older servers know only <c>MaxTokens</c>.
    /// </summary>
    public MaxTokensField MaxTokensField { get; set; } = MaxTokensField.MaxCompletionTokens;

    /// <summary>The sampling temperature, from 0 (the most likely words) to 2. Default: the endpoint's own.</summary>
    [Within(0.0, 2.0)]
    public float? Temperature { get; set; }

    /// <summary>Whether the usage is asked for with <c>stream_options</c>. Default true. Set it to false for a server that refuses that field.</summary>
    public bool StreamUsage { get; set; } = true;

    /// <summary>
    /// Whether the headers <c>X-Session-Id</c>, <c>X-Session-Scope</c>, <c>X-Question-Id</c>, <c>X-Attempt</c>, <c>Idempotency-Key</c> and <c>traceparent</c>
    /// are sent. Default: only to an endpoint in your own network, which is a loopback or private address, or a host name that is not public.
    /// </summary>
    public bool? SendContextHeaders { get; set; }

    /// <summary>
    /// Whether the field <c>user</c> is sent: who asked, or the session where that is not known. Default false, because strict servers refuse it.
    /// </summary>
    public bool SendUser { get; set; }

    /// <summary>
    /// Whether the field <c>metadata</c> is sent: the question's own, with <c>session_id</c>, <c>session_scope</c>, <c>question_id</c> and <c>attempt</c>.
    /// Default false, because strict servers refuse it; OpenAI itself takes it only for stored completions.
    /// </summary>
    public bool SendMetadata { get; set; }

    /// <summary>Models that a question can choose with <c>options.model</c>, besides <see cref="Model"/>. Default none.</summary>
    public List<string> AllowedModels { get; set; } = [];

    /// <summary>The highest <c>options.temperature</c> that a question can choose, from 0 to 2. Default none: a question cannot choose.</summary>
    [Within(0.0, 2.0)]
    public float? MaxQuestionTemperature { get; set; }

    /// <summary>
    /// System messages that a question can choose by name with <c>options.system_prompt</c>, instead of <see cref="SystemPrompt"/>. Default none.
    /// </summary>
    public Dictionary<string, string> SystemPrompts { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The time limit for opening a connection, from 1 ms to 10 min. Default 15 s. The session's own timers limit the wait for text.</summary>
    [Within("00:00:00.001", "00:10:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);
}
