using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using OrleansSessions.Configuration;
using OrleansSessions.Responders;

namespace OrleansSessions.Grains.Responders;

internal static class BuiltInResponders
{
    private const string ExternalName = "external";

    /// <summary>Makes <c>echo</c> and <c>external</c> available, with the options that choose between responders. Safe to call twice.</summary>
    public static IServiceCollection AddBuiltInResponders(this IServiceCollection services, string? configPrefix)
    {
        services.AddSection<ResponderOptions>(configPrefix);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ResponderOptions>, ResponderOptionsValidator>());
        services.AddSection<EchoOptions>(configPrefix);
        services.TryAddSingleton(TimeProvider.System);
        services.AddResponder<EchoResponder>(ResponderOptions.EchoName);
        return services.AddExternalResponder(ExternalName);
    }
}
