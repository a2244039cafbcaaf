namespace OrleansSessions.Scopes;

/// <summary>
/// The sessions of one scope, keyed by the scope: a list for people, and a limit on their number. It is a hint and is never trusted for access: an entry can
/// outlive its session for a while, or be missing if the index could not be asked or written when the session was new. The anonymous scope has none.
/// </summary>
[Alias("OrleansSessions.IScopeIndexGrain"), GrainInterfaceType("orleanssessions.scopeindex")]
public interface IScopeIndexGrain : IGrainWithStringKey
{
    /// <summary>
    /// Gives a session that is asked for the first time its place, unless the scope has as many as it may have. The store has it before the reply comes, or is
    /// tried again if it fails. Safe to repeat.
    /// </summary>
    [Alias("Add")]
    Task<AddSessionReply> AddAsync(AddSessionRequest request);

    /// <summary>Notes the latest questions and uses of sessions, and adds those that are missing if there is room.</summary>
    [Alias("Touch")]
    Task TouchAsync(TouchSessionsRequest request);

    /// <summary>Removes entries. It does not remove the sessions.</summary>
    [Alias("Remove")]
    Task RemoveAsync(RemoveSessionsRequest request);

    /// <summary>The sessions with the latest questions first.</summary>
    [Alias("List")]
    Task<SessionList> ListAsync(ListSessionsRequest request);

    /// <summary>Removes the stored record. An index that has entries is left as it is: their sessions were asked since the caller found none.</summary>
    [Alias("Erase")]
    Task<EraseIndexReply> EraseAsync(EraseIndexRequest request);
}
