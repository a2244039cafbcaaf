using System.Globalization;
using System.Text.Json;

namespace OrleansSessions.Responders;

/// <summary>The model, temperature and system prompt of one question: the configured ones, or what the question chose of those that are allowed.</summary>
internal sealed record QuestionChoice(string Model, float? Temperature, string SystemPrompt)
{
    private const string ModelOption = "model";
    private const string TemperatureOption = "temperature";
    private const string SystemPromptOption = "system_prompt";

    /// <summary>Returns why options are refused, or null if all of them are allowed.</summary>
    public static OptionFault? FindFault(IModelOptions options, JsonElement chosen)
    {
        foreach (var option in chosen.EnumerateObject())
        {
            if (FindFault(options, option) is { } message)
            {
                return new(option.Name, message);
            }
        }

        return null;
    }

    /// <param name="optionsJson">Options without a fault, or null.</param>
    public static QuestionChoice Of(IModelOptions options, string? optionsJson)
    {
        var choice = new QuestionChoice(options.Model, options.Temperature, options.SystemPrompt);
        if (optionsJson is null)
        {
            return choice;
        }

        using var chosen = JsonDocument.Parse(optionsJson);
        foreach (var option in chosen.RootElement.EnumerateObject())
        {
            choice = option.Name switch
            {
                // A question that waited in the queue can outlive the setting that allowed its option. The configured value applies then.
                _ when FindFault(options, option) is not null => choice,
                ModelOption => choice with { Model = option.Value.GetString()! },
                TemperatureOption => choice with { Temperature = option.Value.GetSingle() },
                SystemPromptOption => choice with { SystemPrompt = options.SystemPrompts[option.Value.GetString()!] },
                _ => choice,
            };
        }

        return choice;
    }

    private static string? FindFault(IModelOptions options, JsonProperty option) => option.Name switch
    {
        ModelOption when ModelsOf(options) is { Length: > 0 } models => FindNameFault(option, models, StringComparer.Ordinal),
        ModelOption => "This server does not let a question choose its model.",
        TemperatureOption => FindTemperatureFault(options.MaxQuestionTemperature, option.Value),
        SystemPromptOption when options.SystemPrompts.Count == 0 => "This server has no system prompts to choose from.",
        SystemPromptOption => FindNameFault(option, options.SystemPrompts.Keys, options.SystemPrompts.Comparer),
        _ => $"The options are '{ModelOption}', '{TemperatureOption}' and '{SystemPromptOption}'.",
    };

    private static string[] ModelsOf(IModelOptions options) =>
        [.. options.AllowedModels.Prepend(options.Model).Where(name => name.Length > 0).Distinct(StringComparer.Ordinal)];

    private static string? FindNameFault(JsonProperty option, ICollection<string> allowed, IEqualityComparer<string> comparer)
    {
        if (option.Value.ValueKind != JsonValueKind.String)
        {
            return $"'{option.Name}' must be a string.";
        }

        return allowed.Contains(option.Value.GetString()!, comparer) ? null : $"'{option.Name}' must be one of: {string.Join(", ", allowed)}.";
    }

    private static string? FindTemperatureFault(float? highest, JsonElement value)
    {
        if (highest is null)
        {
            return "This server does not let a question choose its temperature.";
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var chosen) && chosen >= 0 && chosen <= highest
            ? null
            : $"'{TemperatureOption}' must be a number from 0 to {highest.Value.ToString(CultureInfo.InvariantCulture)}.";
    }
}
