using Microsoft.Extensions.Options;

namespace OrleansSessions.Grains.Responders;

internal sealed class EchoOptionsValidator : IValidateOptions<EchoOptions>
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, EchoOptions options)
    {
        var errors = new List<string>();
        Check(errors, nameof(EchoOptions.InitialDelay), options.InitialDelay);
        Check(errors, nameof(EchoOptions.Delay), options.Delay);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Check(List<string> errors, string key, TimeSpan value)
    {
        if (value < TimeSpan.Zero || value > Longest)
        {
            errors.Add($"Responder:Echo:{key} is {value}; it must be from {TimeSpan.Zero} to {Longest}.");
        }
    }
}
