namespace OrleansSessions.Responders.OpenAI;

/// <summary>The request field that limits the length of an answer.</summary>
public enum MaxTokensField
{
    /// <summary><c>max_completion_tokens</c>, the newer name.</summary>
    MaxCompletionTokens = 0,

    /// <summary><c>max_tokens</c>, the older name.</summary>
    MaxTokens = 1,
}
