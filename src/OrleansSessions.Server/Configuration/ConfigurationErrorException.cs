namespace OrleansSessions.Server.Configuration;

/// <summary>The configuration cannot be used. Every reason is in <see cref="Errors"/>, for the person who wrote it.</summary>
internal sealed class ConfigurationErrorException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
