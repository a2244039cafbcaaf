using OrleansSessions.Protocol;

namespace OrleansSessions.Sessions;

/// <summary>Subscribes a socket gateway to a session's new events.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AttachRequest")]
public sealed record AttachRequest : SessionRequest
{
    /// <summary>The socket gateway's instance id.</summary>
    [Id(0)]
    public required string Gateway { get; init; }

    /// <summary>How many connections of this session the socket gateway now holds.</summary>
    [Id(1)]
    public int Connections { get; init; }

    /// <summary>Grows with each change of <see cref="Connections"/>, so that a late call cannot undo a newer one.</summary>
    [Id(2)]
    public long Version { get; init; }

    /// <summary>True to get the text of an open answer with the reply.</summary>
    [Id(3)]
    public bool WantsSnapshot { get; init; }

    /// <summary>The basic socket that opens with this call, or null. It outranks older ones that are not heard from again.</summary>
    [Id(4)]
    public string? BasicConnection { get; init; }
}

/// <summary>The session in the turn that subscribed the socket gateway.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.AttachReply")]
public sealed record AttachReply
{
    [Id(0)]
    public long Epoch { get; init; }

    /// <summary>The head of the log: the socket gateway's items begin after it.</summary>
    [Id(1)]
    public long Seq { get; init; }

    /// <summary>Running first, then queued in order.</summary>
    [Id(2)]
    public required OpenQuestion[] Open { get; init; }

    /// <summary>The open answer, if one is open and it was wanted.</summary>
    [Id(3)]
    public QuestionDescription? Snapshot { get; init; }

    /// <summary>The name of the responder.</summary>
    [Id(4)]
    public required string Responder { get; init; }

    /// <summary>True if the session outlives its silo.</summary>
    [Id(5)]
    public bool IsStored { get; init; }

    /// <summary>The oldest event that can be replayed; one more than <see cref="Seq"/> if there is none.</summary>
    [Id(6)]
    public long OldestSeq { get; init; }

    /// <summary>How long the session is remembered while no one uses it.</summary>
    [Id(7)]
    public TimeSpan Retention { get; init; }
}
