using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Storage;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Where the sessions of this silo are while their grains are not active.</summary>
internal sealed class SessionStores(
    IOptions<SessionsOptions> options, IPersistentStateFactory states, ParkedSessions parked, IServiceProvider services)
{
    /// <summary>True where <c>accepted</c> and <c>done</c> become visible only after their write; false where sessions live in this process only.</summary>
    public bool IsStored { get; } = options.Value.Persistence switch
    {
        SessionPersistence.Stored => true,
        SessionPersistence.Memory => false,
        _ => services.GetKeyedService<IGrainStorage>(SessionsOptions.StorageName) is not null,
    };

    /// <summary>Creates the store of one session. Call it in the grain's constructor, because the state is read before the grain is active.</summary>
    public SessionStore Create(SessionActivation activation, Session session) => new(
        activation,
        session,
        IsStored ? states.Create<SessionState>(activation.Grain.GrainContext, new PersistentStateAttribute("session", SessionsOptions.StorageName)) : null,
        parked);
}
