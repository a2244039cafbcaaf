using Microsoft.Extensions.Options;

namespace OrleansSessions.Server.Configuration;

internal sealed class ServerOptionsValidator : IValidateOptions<ServerOptions>
{
    public ValidateOptionsResult Validate(string? name, ServerOptions options)
    {
        var errors = new List<string>();
        if (!Enum.IsDefined(options.Role))
        {
            errors.Add($"Server:Role is '{options.Role}'; it must be one of: {string.Join(", ", Enum.GetNames<ServerRole>())}.");
        }

        if (options.ManagementPort is < 1 or > 65535)
        {
            errors.Add($"Server:ManagementPort is {options.ManagementPort}; it must be from 1 to 65535.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
