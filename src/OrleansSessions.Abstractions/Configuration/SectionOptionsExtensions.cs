using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Configuration;

/// <summary>Registers options that name their configuration section.</summary>
public static class SectionOptionsExtensions
{
    /// <summary>The prefix of the sections in a host other than the product's own server.</summary>
    public const string EmbeddedPrefix = "OrleansSessions:";

    /// <summary>Binds options to <c>{configPrefix}{Section}</c> and checks them when the host starts. Safe to call twice.</summary>
    /// <param name="configPrefix">The prefix of the section, or null if the host binds the options itself.</param>
    /// <param name="name">The name of the options, where there are several of a type.</param>
    public static IServiceCollection AddSection<T>(this IServiceCollection services, string? configPrefix, string? name = null)
        where T : class, ISectionOptions
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, SectionValidator<T>>());
        var options = services.AddOptionsWithValidateOnStart<T>(name);
        if (configPrefix is not null)
        {
            options.BindConfiguration(configPrefix + T.Section);
        }

        return services;
    }
}
