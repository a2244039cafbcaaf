namespace OrleansSessions.Sessions;

/// <summary>Describes a session.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.DescribeRequest")]
public sealed record DescribeRequest : SessionRequest
{
    /// <summary>If true, this is no use of the session: it is forgotten as if no one had asked for it.</summary>
    [Id(0)]
    public bool IsGlance { get; init; }
}

/// <summary>A session in one turn of its grain.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionDescription")]
public sealed record SessionDescription
{
    [Id(0)]
    public long Epoch { get; init; }

    /// <summary>The head of the log.</summary>
    [Id(1)]
    public long Seq { get; init; }

    /// <summary>The oldest event still held; <c>Seq + 1</c> where none is.</summary>
    [Id(2)]
    public long OldestSeq { get; init; }

    /// <summary>Sockets attached, as far as the socket gateways have reported.</summary>
    [Id(3)]
    public int Connections { get; init; }

    /// <summary>Running first, then queued in order.</summary>
    [Id(4)]
    public required QuestionDescription[] Open { get; init; }

    /// <summary>When it will be forgotten if it is not used; null while a question is open or a socket attached.</summary>
    [Id(5)]
    public DateTimeOffset? ExpiresAt { get; init; }
}
