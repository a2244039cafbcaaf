using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Grains.Responders;

public static class BuiltInResponders
{
    /// <summary>
    /// Makes <c>echo</c>, <c>openai</c> and <c>external</c> available, with the validators of their options.
    /// Binding the options to a configuration is the host's part. Safe to call twice.
    /// </summary>
    public static IServiceCollection AddBuiltInResponders(this IServiceCollection services)
    {
        if (services.Any(service => service.ImplementationType == typeof(ResponderOptionsValidator)))
        {
            return services;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddResponder<EchoResponder>(ResponderOptions.EchoName);
        services.AddResponder<OpenAIResponder>(ResponderOptions.OpenAIName);
        services.AddSingleton(new ResponderRegistration(ResponderOptions.ExternalName, null));

        services.AddOptions<ResponderOptions>().ValidateOnStart();
        services.AddOptions<EchoOptions>().ValidateOnStart();
        services.AddOptions<OpenAIOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<ResponderOptions>, ResponderOptionsValidator>();
        services.AddSingleton<IValidateOptions<EchoOptions>, EchoOptionsValidator>();
        services.AddSingleton<IValidateOptions<OpenAIOptions>, OpenAIOptionsValidator>();
        return services;
    }
}
