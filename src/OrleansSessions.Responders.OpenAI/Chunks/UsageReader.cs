using System.Text.Json;
using OrleansSessions.Responders.OpenAI.Failures;

namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>Collects the usage of one answer, wherever a server writes it: in the last chunk, in every chunk, beside the choices or in one.</summary>
internal sealed class UsageReader(string model)
{
    private AnswerUsage _usage = new(model);

    /// <summary>The usage so far if this chunk said anything new, otherwise null.</summary>
    public AnswerUsage? Read(JsonElement root, JsonElement? choice)
    {
        if ((root.Field("usage") ?? choice?.Field("usage") ?? root.Field("x_groq")?.Field("usage")) is not { } usage)
        {
            return null;
        }

        var earlier = _usage;
        _usage = earlier with
        {
            InputTokens = (usage.Field("prompt_tokens") ?? usage.Field("input_tokens")).AsCount() ?? earlier.InputTokens,
            OutputTokens = (usage.Field("completion_tokens") ?? usage.Field("output_tokens")).AsCount() ?? earlier.OutputTokens,
            CachedInputTokens = (Detail(usage, "prompt_tokens_details", "input_tokens_details", "cached_tokens")
                ?? usage.Field("prompt_cache_hit_tokens") ?? usage.Field("cached_tokens")).AsCount() ?? earlier.CachedInputTokens,
            ReasoningTokens = (Detail(usage, "completion_tokens_details", "output_tokens_details", "reasoning_tokens")
                ?? usage.Field("reasoning_tokens")).AsCount() ?? earlier.ReasoningTokens,
        };
        return _usage == earlier ? null : _usage;
    }

    private static JsonElement? Detail(JsonElement usage, string details, string newerDetails, string name) =>
        (usage.Field(details) ?? usage.Field(newerDetails))?.Field(name);
}
