using OrleansSessions.Sessions;

namespace OrleansSessions.Scopes;

/// <summary>Asks for a place for a session.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AddSessionRequest")]
public sealed record AddSessionRequest : SessionRequest
{
    /// <summary>The session and its first question.</summary>
    [Id(0)]
    public required ListedSession Session { get; init; }
}

/// <summary>Whether a session has a place.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AddSessionReply")]
public sealed record AddSessionReply
{
    /// <summary>False if the scope has as many sessions as it may have.</summary>
    [Id(0)]
    public bool IsAdded { get; init; }
}

/// <summary>Notes the latest questions and uses of sessions.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.TouchSessionsRequest")]
public sealed record TouchSessionsRequest : SessionRequest
{
    /// <summary>Each session at most once.</summary>
    [Id(0)]
    public required ListedSession[] Sessions { get; init; }
}

/// <summary>Removes entries.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.RemoveSessionsRequest")]
public sealed record RemoveSessionsRequest : SessionRequest
{
    /// <summary>Ids that are not in the index change nothing.</summary>
    [Id(0)]
    public required string[] SessionIds { get; init; }

    /// <summary>
    /// For each id, the time of the entry that the caller has listed. An entry with another time stays, because its session was asked meanwhile. Null to remove
    /// whatever there is.
    /// </summary>
    [Id(1)]
    public DateTimeOffset[]? ListedAt { get; init; }

    /// <summary>
    /// If true, the reply comes when the store has the index without them, and a write that fails is a fault. A repeated call writes what an earlier one
    /// did not.
    /// </summary>
    [Id(2)]
    public bool IsDurable { get; init; }

    /// <summary>Returns a request for entries that were listed and have not changed since.</summary>
    public static RemoveSessionsRequest For(IReadOnlyCollection<ListedSession> listed) =>
        new() { SessionIds = [.. listed.Select(session => session.SessionId)], ListedAt = [.. listed.Select(session => session.UpdatedAt)] };
}

/// <summary>Lists a part of the index.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ListSessionsRequest")]
public sealed record ListSessionsRequest : SessionRequest
{
    /// <summary>The maximum number of entries.</summary>
    [Id(0)]
    public int Limit { get; init; }

    /// <summary>The last entry that the caller has: its time, and with <see cref="AfterSessionId"/> its id. Null to begin with the latest.</summary>
    [Id(1)]
    public DateTimeOffset? AfterUpdatedAt { get; init; }

    /// <summary>See <see cref="AfterUpdatedAt"/>. Entries of the same time are in the order of their ids.</summary>
    [Id(2)]
    public string? AfterSessionId { get; init; }
}

/// <summary>A part of the index.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionList")]
public sealed record SessionList
{
    /// <summary>The latest first.</summary>
    [Id(0)]
    public required ListedSession[] Sessions { get; init; }

    /// <summary>True if there are more after the last one.</summary>
    [Id(1)]
    public bool HasMore { get; init; }
}

/// <summary>Removes the stored record of an index without entries.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.EraseIndexRequest")]
public sealed record EraseIndexRequest : SessionRequest;

/// <summary>Whether anything is left of an index.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.EraseIndexReply")]
public sealed record EraseIndexReply
{
    /// <summary>False if there are entries, for example of a session that was asked meanwhile. Nothing was removed then.</summary>
    [Id(0)]
    public bool IsErased { get; init; }
}
