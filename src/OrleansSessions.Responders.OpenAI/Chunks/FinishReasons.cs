namespace OrleansSessions.Responders.OpenAI.Chunks;

/// <summary>What a finish reason means for the answer.</summary>
internal enum FinishKind
{
    Complete = 0,
    Length = 1,
    Refused = 2,
    Faulted = 3,
    ToolCall = 4,
}

/// <summary>
/// Maps finish reasons. OpenAI's list is short, and each server adds its own, so only the ones that are known to mean something else are not
/// <see cref="FinishKind.Complete"/>.
/// </summary>
internal static class FinishReasons
{
    private static readonly string[] Limits =
        ["max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "token_limit", "context_window", "time_limit", "error_limit"];

    private static readonly HashSet<string> Refusals = new(StringComparer.OrdinalIgnoreCase)
    {
        "content_filter", "content_filtered", "safety", "image_safety", "refusal", "sensitive", "recitation", "blocklist", "prohibited_content", "spii",
        "guardrail_intervened", "content_policy_violation", "moderation", "error_toxic",
    };

    private static readonly HashSet<string> Faults = new(StringComparer.OrdinalIgnoreCase)
    {
        "error", "network_error", "internal_error", "server_error", "insufficient_system_resource", "abort", "aborted", "timeout", "malformed_response",
        "cancel", "cancelled", "canceled", "user_cancel",
    };

    private static readonly HashSet<string> ToolCalls = new(StringComparer.OrdinalIgnoreCase)
    {
        "tool_calls", "tool_call", "function_call", "tool_use", "malformed_function_call",
    };

    /// <summary>The reason as it counts: null for none, which some servers write as an empty string or as the word. Some write hyphens.</summary>
    public static string? Normalize(string? reason) =>
        reason?.Trim() is { Length: > 0 } text && !text.Equals("null", StringComparison.OrdinalIgnoreCase) ? text.Replace('-', '_') : null;

    public static FinishKind KindOf(string reason) => reason switch
    {
        _ when Refusals.Contains(reason) => FinishKind.Refused,
        _ when Faults.Contains(reason) => FinishKind.Faulted,
        _ when ToolCalls.Contains(reason) => FinishKind.ToolCall,
        _ when IsLimit(reason) => FinishKind.Length,
        _ => FinishKind.Complete,
    };

    private static bool IsLimit(string reason) =>
        reason.EndsWith("length", StringComparison.OrdinalIgnoreCase) || Limits.Any(limit => reason.Contains(limit, StringComparison.OrdinalIgnoreCase));
}
