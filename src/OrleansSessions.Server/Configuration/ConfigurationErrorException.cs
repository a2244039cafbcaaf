namespace OrleansSessions.Server.Configuration;

/// <summary>The configuration is invalid. <see cref="Errors"/> contains every mistake, for the person who wrote the configuration.</summary>
internal sealed class ConfigurationErrorException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
