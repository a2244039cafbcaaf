using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Storage;
using OrleansSessions.Clustering;
using OrleansSessions.Configuration;
using OrleansSessions.Gateways;
using OrleansSessions.Grains.Clustering;
using OrleansSessions.Grains.Draining;
using OrleansSessions.Grains.Gateways;
using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.Responders;
using OrleansSessions.Grains.Scopes;
using OrleansSessions.Grains.Sessions;
using OrleansSessions.Grains.States;
using OrleansSessions.Scopes;
using OrleansSessions.Sessions;
using OrleansSessions.Stores;
using OrleansSessions.Streaming;

namespace OrleansSessions.Grains;

/// <summary>Adds sessions to a host.</summary>
public static class SessionGrainsExtensions
{
    /// <summary>Where Orleans keeps who subscribes to which stream.</summary>
    private const string PubSubStore = "PubSubStore";

    /// <summary>
    /// Adds session grains, their streams and the built-in responders to a silo. Clustering and storage are the host's own: with a grain storage
    /// named <see cref="SessionsOptions.StorageName"/> sessions are stored, and one named <c>PubSubStore</c> keeps the streams' subscriptions, which are
    /// kept in memory otherwise. Safe to call twice.
    /// </summary>
    /// <param name="configPrefix">
    /// The prefix of the sections <c>Sessions</c>, <c>Limits</c> and <c>Responder</c>; null where the host binds them itself.
    /// </param>
    public static ISiloBuilder AddSessionGrains(this ISiloBuilder builder, string? configPrefix = SectionOptionsExtensions.EmbeddedPrefix)
    {
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(SessionServices)))
        {
            return builder;
        }

        services.AddSection<SessionsOptions>(configPrefix);
        services.AddSection<ScopeLimitsOptions>(configPrefix);
        services.AddBuiltInResponders(configPrefix);
        builder.AddPushStreams(GatewayStreams.ProviderName);
        if (!services.Any(IsPubSubStore))
        {
            builder.AddMemoryGrainStorage(PubSubStore);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterEviction>();
        services.AddDrain();
        services.AddSingleton<IDrainStep, SiloDrain>();
        services.AddPlacementDirector<PreferLocalPlacement, DrainAwarePlacement>();
        services.AddSingleton<ClusterView>();
        services.AddSingleton<LocalSessions>();
        services.AddSingleton<SessionServices>();
        services.TryAddSingleton<StoreHealth>();
        services.TryAddSingleton<StoreWatch>();
        services.AddSingleton<StoredStates>();
        services.AddSingleton<QuestionForms>();
        services.AddSingleton<SessionStores>();
        services.AddSingleton<SessionMetrics>();
        services.AddSingleton<ParkedSessions>();
        services.AddSingleton<UnaskedSessions>();
        services.AddSingleton<ActiveResponder>();
        services.AddSingleton<SocketGatewayOutboxes>();
        services.AddScopeQuotaCalls();
        services.AddSingleton<LeaseHolders>();
        services.AddSingleton<OpenQuestionPermits>();
        services.AddSingleton<ScopeIndexes>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<ScopeIndexes>());
        services.AddSingleton<ScopeUse>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider =>
        {
            // Created with the silo, not with its first session, so that a metric is zero rather than missing before.
            provider.GetRequiredService<SessionMetrics>();
            return provider.GetRequiredService<SocketGatewayOutboxes>();
        });
        services.AddSingleton<MembershipReader>();
        services.AddSingleton<SingleSiloGuard>();
        services.AddSingleton<EvictedProcess>();
        services.Replace(ServiceDescriptor.Singleton<IFatalErrorHandler, SiloFatalErrors>());
        services.AddSingleton<SiloStanding>();
        services.AddSingleton<MembershipWatch>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<MembershipWatch>());
        services.AddOptions<GrainCollectionOptions>().Configure<IOptions<SessionsOptions>>(static (collection, sessions) =>
            CollectAfter(sessions.Value.CollectionAge, collection));

        // The address of a grain that was not called for so long need not be known: the grain itself may have left.
        services.AddOptions<GrainDirectoryOptions>().Configure<IOptions<SessionsOptions>>(static (directory, sessions) =>
            directory.MaximumCacheTTL = Shorter(directory.MaximumCacheTTL, sessions.Value.CollectionAge));
        return builder;
    }

    /// <summary>The grains of a scope leave with its sessions: a scope can have a single session, and then there are as many of them.</summary>
    private static void CollectAfter(TimeSpan age, GrainCollectionOptions collection)
    {
        foreach (var grain in (Type[])[typeof(SessionGrain), typeof(ScopeIndexGrain), typeof(ScopeQuotaGrain)])
        {
            collection.ClassSpecificCollectionAge[grain.FullName!] = age;
        }

        // Orleans refuses to start with an age that is not longer than the time between two of its checks.
        collection.CollectionQuantum = Shorter(collection.CollectionQuantum, age / 4);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    /// <summary>True for a store that the host has added. One that it adds later replaces this one.</summary>
    private static bool IsPubSubStore(ServiceDescriptor service) =>
        service.IsKeyedService && service.ServiceType == typeof(IGrainStorage) && service.ServiceKey is PubSubStore;
}
