using Microsoft.Extensions.Options;

namespace OrleansSessions.Grains.Responders;

/// <summary>Looks only where <c>Responder:Name</c> is <c>openai</c>: nobody else needs a model.</summary>
internal sealed class OpenAIOptionsValidator(IOptions<ResponderOptions> responder) : IValidateOptions<OpenAIOptions>
{
    private const string Section = "Responder:OpenAI";

    public ValidateOptionsResult Validate(string? name, OpenAIOptions options)
    {
        if (responder.Value.Name != ResponderOptions.OpenAIName)
        {
            return ValidateOptionsResult.Skip;
        }

        var errors = FindErrors(options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static IEnumerable<string> FindErrors(OpenAIOptions options)
    {
        if (!Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            yield return $"{Section}:Endpoint is '{options.Endpoint}'; it must be an absolute http or https address, http://localhost:11434/v1 say.";
        }
        else if (endpoint.UserInfo.Length > 0)
        {
            // The value is not repeated: it holds a password.
            yield return $"{Section}:Endpoint holds a user or a password; put the key into {Section}:ApiKey.";
        }

        if (string.IsNullOrWhiteSpace(options.Model))
        {
            yield return $"{Section}:Model is '{options.Model}'; it must name the endpoint's model.";
        }

        if (options.MaxOutputTokens is < 1)
        {
            yield return $"{Section}:MaxOutputTokens is {options.MaxOutputTokens}; it must be at least 1.";
        }

        if (options.Temperature is < 0 or > 2 or float.NaN)
        {
            yield return FormattableString.Invariant($"{Section}:Temperature is {options.Temperature}; it must be from 0 to 2.");
        }

        if (options.ConnectTimeout < TimeSpan.FromMilliseconds(1) || options.ConnectTimeout > TimeSpan.FromMinutes(10))
        {
            yield return $"{Section}:ConnectTimeout is {options.ConnectTimeout}; it must be from 1 ms to 10 min.";
        }
    }
}
