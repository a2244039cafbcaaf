using Microsoft.Extensions.Options;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

internal sealed class ResponderOptionsValidator(IEnumerable<ResponderRegistration> registrations) : IValidateOptions<ResponderOptions>
{
    public ValidateOptionsResult Validate(string? name, ResponderOptions options)
    {
        var known = registrations.Select(registration => registration.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return known.Contains(options.Name)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"Responder:Name is '{options.Name}'; it must be one of: {string.Join(", ", known)}.");
    }
}
