using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OrleansSessions.Configuration;

namespace OrleansSessions.Responders.OpenAI;

public static class OpenAIResponderExtensions
{
    /// <summary>The name by which <c>Responder:Name</c> chooses this responder.</summary>
    public const string Name = "openai";

    /// <summary>Makes the responder <c>openai</c> available. Safe to call twice.</summary>
    /// <param name="configPrefix">What stands before the section <c>Responder:OpenAI</c>; null where the host binds the options itself.</param>
    public static IServiceCollection AddOpenAIResponder(
        this IServiceCollection services, string? configPrefix = SectionOptionsExtensions.EmbeddedPrefix)
    {
        services.AddSection<OpenAIOptions>(configPrefix);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<OpenAIOptions>, OpenAIOptionsValidator>());
        return services.AddResponder<OpenAIResponder>(Name);
    }
}
