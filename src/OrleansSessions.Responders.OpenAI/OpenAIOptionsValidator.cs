using Microsoft.Extensions.Options;

namespace OrleansSessions.Responders.OpenAI;

/// <summary>Validates only if <c>Responder:Name</c> is <c>openai</c>, because no other responder needs a model.</summary>
internal sealed class OpenAIOptionsValidator(IOptions<ResponderOptions> responder) : IValidateOptions<OpenAIOptions>
{
    public ValidateOptionsResult Validate(string? name, OpenAIOptions options)
    {
        if (responder.Value.Name != OpenAIResponderExtensions.Name)
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
            yield return $"{OpenAIOptions.Section}:Endpoint is '{options.Endpoint}'; "
                + "it must be an absolute http or https address, for example http://localhost:11434/v1.";
        }
        else if (endpoint.UserInfo.Length > 0)
        {
            // The value is not repeated, because it contains a password.
            yield return $"{OpenAIOptions.Section}:Endpoint contains a user name or a password; put the key into {OpenAIOptions.Section}:ApiKey.";
        }

        if (string.IsNullOrWhiteSpace(options.Model))
        {
            yield return $"{OpenAIOptions.Section}:Model is '{options.Model}'; it must name a model of the endpoint.";
        }

        if (options.ApiKey.Any(letter => letter is <= ' ' or > '~'))
        {
            // The value is not repeated, because it is a secret.
            yield return $"{OpenAIOptions.Section}:ApiKey contains white space or a character that a header cannot carry; check that it was copied whole.";
        }

        // No value is repeated, because it can be a secret.
        foreach (var (name, value) in options.Headers)
        {
            using var probe = new HttpRequestMessage();
            if (!probe.Headers.TryAddWithoutValidation(name, value))
            {
                yield return $"{OpenAIOptions.Section}:Headers:{name} is not a header that a request can have.";
            }
            else if (value.Any(letter => letter is < ' ' or > '~'))
            {
                yield return $"{OpenAIOptions.Section}:Headers:{name} contains a character that a header cannot carry.";
            }
        }

        if (options.AllowedModels.Any(string.IsNullOrWhiteSpace))
        {
            yield return $"{OpenAIOptions.Section}:AllowedModels contains an empty name; each must name a model of the endpoint.";
        }
    }
}
