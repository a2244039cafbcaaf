using OrleansSessions.Sessions;

namespace OrleansSessions.Scopes;

/// <summary>What is counted in a scope.</summary>
public enum LeaseKind
{
    /// <summary>Sockets and event streams. A holder is a socket gateway, by its instance id.</summary>
    Sockets = 0,

    /// <summary>Open questions. A holder is a silo, by its address.</summary>
    OpenQuestions = 1,
}

/// <summary>Reports what a holder has in use, and leases what it wants.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LeaseRequest")]
public sealed record LeaseRequest : SessionRequest
{
    /// <summary>What is counted.</summary>
    [Id(0)]
    public LeaseKind Kind { get; init; }

    /// <summary>Who leases: a socket gateway or a silo, see <see cref="LeaseKind"/>.</summary>
    [Id(1)]
    public required string Holder { get; init; }

    /// <summary>
    /// What exists already. It counts even above the limit, because a lease cannot end what is open: questions that were restored, and whatever was leased
    /// from an earlier activation.
    /// </summary>
    [Id(2)]
    public int InUse { get; init; }

    /// <summary>What the holder wants to have in total, at least <see cref="InUse"/>.</summary>
    [Id(3)]
    public int Wanted { get; init; }

    /// <summary>Grows with each report of a holder, so that a late call cannot undo a newer one.</summary>
    [Id(4)]
    public long Version { get; init; }
}

/// <summary>What a holder has leased.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LeaseReply")]
public sealed record LeaseReply
{
    /// <summary>In total, from <see cref="LeaseRequest.InUse"/> to <see cref="LeaseRequest.Wanted"/>.</summary>
    [Id(0)]
    public int Granted { get; init; }
}
