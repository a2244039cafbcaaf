using Microsoft.Extensions.AI;
using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.ChatClient;

/// <summary>Section <c>Responder:ChatClient</c>: what a responder with an <see cref="IChatClient"/> sends, and what a question can choose.</summary>
public sealed class ChatClientResponderOptions : ISectionOptions, IModelOptions
{
    /// <inheritdoc/>
    public static string Section => "Responder:ChatClient";

    /// <summary>The name of the model, as <see cref="ChatOptions.ModelId"/>. Default: the client's own.</summary>
    public string Model { get; set; } = "";

    /// <summary>The system message sent before the history. Default none.</summary>
    public string SystemPrompt { get; set; } = "";

    /// <summary>The maximum length of an answer, in the model's tokens, at least 1. Default: the client's own.</summary>
    [Within(1)]
    public int? MaxOutputTokens { get; set; }

    /// <summary>The sampling temperature, from 0 (the most likely words) to 2. Default: the client's own.</summary>
    [Within(0.0, 2.0)]
    public float? Temperature { get; set; }

    /// <summary>Models that a question can choose with <c>options.model</c>, besides <see cref="Model"/>. Default none.</summary>
    public List<string> AllowedModels { get; set; } = [];

    /// <summary>The highest <c>options.temperature</c> that a question can choose, from 0 to 2. Default none: a question cannot choose.</summary>
    [Within(0.0, 2.0)]
    public float? MaxQuestionTemperature { get; set; }

    /// <summary>
    /// System messages that a question can choose by name with <c>options.system_prompt</c>, instead of <see cref="SystemPrompt"/>. Default none.
    /// </summary>
    public Dictionary<string, string> SystemPrompts { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// What becomes of a question whose process dies while the model answers it: <see cref="RecoveryMode.AskAgain"/> (default) or
    /// <see cref="RecoveryMode.Fail"/>, for example if the client calls tools whose work must not be done twice.
    /// </summary>
    public RecoveryMode Recovery { get; set; } = RecoveryMode.AskAgain;

    /// <summary>
    /// Changes the options of one request before it is sent, for example to add tools, or who asks. It is called for each answer, on many threads at the same
    /// time. Only in code; default none.
    /// </summary>
    public Action<ChatOptions, ResponderContext>? ConfigureChat { get; set; }

    /// <inheritdoc/>
    public IEnumerable<string> FindMistakes()
    {
        if (Recovery == RecoveryMode.Continue)
        {
            yield return $"{Section}:Recovery is 'Continue'; it must be one of: Fail, AskAgain. A model cannot go on from a text that it does not remember.";
        }

        if (AllowedModels.Any(string.IsNullOrWhiteSpace))
        {
            yield return $"{Section}:AllowedModels contains an empty name; each must name a model of the client.";
        }
    }
}
