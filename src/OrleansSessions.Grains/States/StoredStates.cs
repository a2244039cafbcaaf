using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.States;

/// <summary>Whether the grains of this silo have a store, and their states in it.</summary>
internal sealed class StoredStates
{
    private readonly IPersistentStateFactory _states;

    public StoredStates(IOptions<SessionsOptions> options, IPersistentStateFactory states, StoreWatch watch, IServiceProvider services)
    {
        (_states, Watch) = (states, watch);
        var storage = options.Value.Persistence switch
        {
            SessionPersistence.Stored or SessionPersistence.File => services.GetRequiredKeyedService<IGrainStorage>(SessionsOptions.StorageName),
            SessionPersistence.Memory => null,
            _ => services.GetKeyedService<IGrainStorage>(SessionsOptions.StorageName),
        };
        Storage = storage is null ? null : watch.Watch(storage);
    }

    /// <summary>The grain storage, or null without one.</summary>
    public IGrainStorage? Storage { get; }

    /// <summary>Whether it can be written. Without a store it always can.</summary>
    public StoreWatch Watch { get; }

    public bool IsStored => Storage is not null;

    /// <summary>
    /// Creates the state of a grain, or null without a store. Call it in the grain's constructor, because the state is read before the grain is active.
    /// </summary>
    public IPersistentState<T>? Create<T>(IGrainContext grain, string name) =>
        IsStored ? new WatchedState<T>(_states.Create<T>(grain, new PersistentStateAttribute(name, SessionsOptions.StorageName)), Watch) : null;
}
