namespace OrleansSessions.Sessions;

/// <summary>Reports that a connection is gone.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.DetachRequest")]
public sealed record DetachRequest : SessionRequest
{
    /// <summary>The socket gateway's instance id.</summary>
    [Id(0)]
    public required string Gateway { get; init; }

    /// <summary>The connection that is gone, or null. A question that it asked without an id is orphaned.</summary>
    [Id(1)]
    public string? Connection { get; init; }

    /// <summary>How many connections of this session the socket gateway still holds.</summary>
    [Id(2)]
    public int Connections { get; init; }

    /// <summary>As in <see cref="AttachRequest"/>.</summary>
    [Id(3)]
    public long Version { get; init; }
}
