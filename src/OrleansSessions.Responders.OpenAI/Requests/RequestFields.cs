namespace OrleansSessions.Responders.OpenAI.Requests;

/// <summary>The names of the request's fields, and which setting decides about each that a server could refuse.</summary>
internal static class RequestFields
{
    public const string Model = "model";
    public const string Messages = "messages";
    public const string Stream = "stream";
    public const string StreamOptions = "stream_options";
    public const string MaxCompletionTokens = "max_completion_tokens";
    public const string MaxTokens = "max_tokens";
    public const string Temperature = "temperature";
    public const string User = "user";
    public const string Metadata = "metadata";

    /// <summary>
    /// All fields, in the order of the body. The names are ours, so they can be logged and sent to clients when a server complains about one.
    /// </summary>
    public static IReadOnlyList<string> All { get; } = [Model, Messages, Stream, StreamOptions, MaxCompletionTokens, MaxTokens, Temperature, User, Metadata];

    /// <summary>The names of the fields that the request of this question has.</summary>
    public static IReadOnlyList<string> Of(OpenAIOptions options, QuestionChoice choice) =>
    [
        .. from field in All
           where field switch
           {
               StreamOptions => options.StreamUsage,
               MaxCompletionTokens => options is { MaxOutputTokens: not null, MaxTokensField: MaxTokensField.MaxCompletionTokens },
               MaxTokens => options is { MaxOutputTokens: not null, MaxTokensField: MaxTokensField.MaxTokens },
               Temperature => choice.Temperature is not null,
               User => options.SendUser,
               Metadata => options.SendMetadata,
               _ => true,
           }
           select field,
    ];

    /// <summary>What an operator can do about a refused field, or null.</summary>
    public static string? AdviceFor(string field) => field switch
    {
        StreamOptions => Set(nameof(OpenAIOptions.StreamUsage), "false"),
        MaxCompletionTokens => Set(nameof(OpenAIOptions.MaxTokensField), nameof(MaxTokensField.MaxTokens)),
        MaxTokens => Set(nameof(OpenAIOptions.MaxTokensField), nameof(MaxTokensField.MaxCompletionTokens)),
        Temperature => $"Check {OpenAIOptions.Section}:{nameof(OpenAIOptions.Temperature)} and the question's options.",
        User => Set(nameof(OpenAIOptions.SendUser), "false"),
        Metadata => Set(nameof(OpenAIOptions.SendMetadata), "false"),
        Model => $"Check {OpenAIOptions.Section}:{nameof(OpenAIOptions.Model)} and the question's options.",
        _ => null,
    };

    private static string Set(string key, string value) => $"Set {OpenAIOptions.Section}:{key} to {value}.";
}
