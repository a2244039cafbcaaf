namespace OrleansSessions.Responders;

/// <summary>The options of a responder with a model, as far as a question can choose others within limits. See <see cref="QuestionChoice"/>.</summary>
internal interface IModelOptions
{
    /// <summary>The name of the model; empty where the responder has a default of its own.</summary>
    string Model { get; }

    /// <summary>The temperature, or null for the model's own.</summary>
    float? Temperature { get; }

    /// <summary>The system message; empty for none.</summary>
    string SystemPrompt { get; }

    /// <summary>Models that a question can choose besides <see cref="Model"/>.</summary>
    List<string> AllowedModels { get; }

    /// <summary>The highest temperature that a question can choose, or null if it cannot.</summary>
    float? MaxQuestionTemperature { get; }

    /// <summary>The system messages that a question can choose, by name.</summary>
    Dictionary<string, string> SystemPrompts { get; }
}
