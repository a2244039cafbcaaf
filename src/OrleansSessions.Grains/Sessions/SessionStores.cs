using OrleansSessions.Grains.Records;
using OrleansSessions.Grains.States;

namespace OrleansSessions.Grains.Sessions;

/// <summary>Where the sessions of this silo are while their grains are not active.</summary>
internal sealed class SessionStores(StoredStates states, ParkedSessions parked, QuestionForms forms)
{
    /// <summary>True where <c>accepted</c> and <c>done</c> become visible only after their write; false where sessions live in this process only.</summary>
    public bool IsStored => states.IsStored;

    /// <summary>Creates the store of one session.</summary>
    public SessionStore Create(SessionActivation activation, Session session) =>
        new(activation, session, states.Storage is { } storage ? new SessionSlots(storage, activation.Grain.GrainContext.GrainId, forms) : null, parked, states.Watch);
}
