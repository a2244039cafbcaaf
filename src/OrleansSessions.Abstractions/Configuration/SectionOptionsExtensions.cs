using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace OrleansSessions.Configuration;

/// <summary>Registers options that know their section.</summary>
public static class SectionOptionsExtensions
{
    /// <summary>What stands before the sections in a host that is not the product's own server.</summary>
    public const string EmbeddedPrefix = "OrleansSessions:";

    /// <summary>Binds options to <c>{configPrefix}{Section}</c> and checks them when the host starts. Safe to call twice.</summary>
    /// <param name="configPrefix">Null where the host binds the options itself.</param>
    public static IServiceCollection AddSection<T>(this IServiceCollection services, string? configPrefix)
        where T : class, ISectionOptions
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, SectionValidator<T>>());
        var options = services.AddOptionsWithValidateOnStart<T>();
        if (configPrefix is not null)
        {
            options.BindConfiguration(configPrefix + T.Section);
        }

        return services;
    }
}
