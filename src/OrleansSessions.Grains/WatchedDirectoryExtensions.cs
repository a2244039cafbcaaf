using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.GrainDirectory;
using OrleansSessions.Grains.States;

namespace OrleansSessions.Grains;

/// <summary>Watches a grain directory that is in the store of the sessions.</summary>
public static class WatchedDirectoryExtensions
{
    /// <summary>
    /// Lets calls to sessions fail at once, as <c>store_unavailable</c>, while the store is away that holds both the sessions and the default grain directory. Call it
    /// after adding that directory. Without it such calls fail later, as <c>internal</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no default grain directory.</exception>
    public static ISiloBuilder WatchDefaultGrainDirectory(this ISiloBuilder builder)
    {
        var services = builder.Services;
        var found = services.LastOrDefault(service =>
            service.IsKeyedService && service.ServiceType == typeof(IGrainDirectory)
            && service.ServiceKey is GrainDirectoryAttribute.DEFAULT_GRAIN_DIRECTORY && service.KeyedImplementationFactory is not null)
            ?? throw new InvalidOperationException("Add the default grain directory first, for example with UseRedisGrainDirectoryAsDefault.");
        services.Remove(found);
        services.TryAddKeyedSingleton<IGrainDirectory>(
            GrainDirectoryAttribute.DEFAULT_GRAIN_DIRECTORY,
            (provider, key) => new WatchedDirectory(
                (IGrainDirectory)found.KeyedImplementationFactory!(provider, key), provider.GetRequiredService<StoreWatch>()));
        return builder;
    }
}
