using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.GrainDirectory;
using OrleansSessions.Grains.Clustering;
using OrleansSessions.Grains.States;

namespace OrleansSessions.Grains;

/// <summary>Watches what else of a cluster is in the store of the sessions.</summary>
public static class WatchedStoreExtensions
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

    /// <summary>
    /// Lets a silo that no one asks notice that the store is away that holds both the sessions and the membership table: it says so in its health, and once in its
    /// log. Call it after adding the clustering provider.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no clustering provider that a factory creates.</exception>
    public static ISiloBuilder WatchMembershipTable(this ISiloBuilder builder)
    {
        var services = builder.Services;
        var found = services.LastOrDefault(static service => service.ServiceType == typeof(IMembershipTable) && service.ImplementationFactory is not null)
            ?? throw new InvalidOperationException("Add the clustering provider first, for example with UseRedisClustering.");
        services.Remove(found);
        services.AddSingleton<IMembershipTable>(provider => new WatchedMembershipTable(
            (IMembershipTable)found.ImplementationFactory!(provider), provider.GetRequiredService<StoreWatch>()));
        return builder;
    }
}
