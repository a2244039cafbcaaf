using OrleansSessions.Log;
using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>Reads on from a position.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.ReadLogRequest")]
public sealed record ReadLogRequest : SessionRequest
{
    /// <summary>The socket gateway that is subscribed if the read reaches the head; null subscribes none.</summary>
    [Id(0)]
    public string? Gateway { get; init; }

    /// <summary>The epoch of the position.</summary>
    [Id(1)]
    public long Epoch { get; init; }

    /// <summary>The number of the position: events after it are read.</summary>
    [Id(2)]
    public long AfterSeq { get; init; }

    /// <summary>As in <see cref="AttachRequest"/>.</summary>
    [Id(3)]
    public int Connections { get; init; }

    /// <summary>As in <see cref="AttachRequest"/>.</summary>
    [Id(4)]
    public long Version { get; init; }

    /// <summary>About how much text to return, in UTF-8 bytes. At least one event is returned where there is one.</summary>
    [Id(5)]
    public int MaxBytes { get; init; }
}

/// <summary>Whether the log could be read on from a position, and if not, why.</summary>
public enum LogReadOutcome
{
    /// <summary>Events follow the position without a hole.</summary>
    Recovered = 0,

    /// <summary>Nothing of that session's log is left.</summary>
    Expired = 1,

    /// <summary>The events after that position are no longer held.</summary>
    Trimmed = 2,

    /// <summary>The position belongs to another life of the log.</summary>
    EpochChanged = 3,
}

/// <summary>A bounded piece of a session's log.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.LogPiece")]
public sealed record LogPiece
{
    [Id(0)]
    public LogReadOutcome Outcome { get; init; }

    [Id(1)]
    public long Epoch { get; init; }

    /// <summary>The last number of the log in this turn.</summary>
    [Id(2)]
    public long Head { get; init; }

    /// <summary>In order, without a hole, from the position on. Empty unless recovered.</summary>
    [Id(3)]
    public required LogEvent[] Events { get; init; }

    /// <summary>True if <see cref="Events"/> ends at the head, and always where not recovered: the socket gateway is subscribed from there on.</summary>
    [Id(4)]
    public bool IsAtHead { get; init; }

    /// <summary>Running first, then queued in order.</summary>
    [Id(5)]
    public required OpenQuestion[] Open { get; init; }

    /// <summary>Where not recovered: the open answer or else the last one, if any.</summary>
    [Id(6)]
    public QuestionDescription? Snapshot { get; init; }
}
