using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.OpenAI;

public static class OpenAIResponderExtensions
{
    /// <summary>The name that selects this responder in <c>Responder:Name</c>.</summary>
    public const string Name = "openai";

    /// <summary>Registers the responder <c>openai</c>. Safe to call twice.</summary>
    /// <param name="configPrefix">The prefix of the section <c>Responder:OpenAI</c>, or null if the host binds the options itself.</param>
    public static IServiceCollection AddOpenAIResponder(
        this IServiceCollection services, string? configPrefix = SectionOptionsExtensions.EmbeddedPrefix)
    {
        services.AddSection<OpenAIOptions>(configPrefix);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OpenAIOptions>, OpenAIOptionsValidator>());
        return services.AddResponder<OpenAIResponder>(Name);
    }
}
