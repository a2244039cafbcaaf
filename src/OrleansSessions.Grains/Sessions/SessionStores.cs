using OrleansSessions.Grains.States;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Where the sessions of this silo are while their grains are not active.</summary>
internal sealed class SessionStores(StoredStates states, ParkedSessions parked)
{
    /// <summary>True where <c>accepted</c> and <c>done</c> become visible only after their write; false where sessions live in this process only.</summary>
    public bool IsStored => states.IsStored;

    /// <summary>Creates the store of one session. Call it in the grain's constructor, because the state is read before the grain is active.</summary>
    public SessionStore Create(SessionActivation activation, Session session) =>
        new(activation, session, states.Create<SessionState>(activation.Grain.GrainContext, "session"), parked);
}
