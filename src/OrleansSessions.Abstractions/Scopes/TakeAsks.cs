using OrleansSessions.Sessions;

namespace OrleansSessions.Scopes;

/// <summary>Takes tokens for questions.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.TakeAsksRequest")]
public sealed record TakeAsksRequest : SessionRequest
{
    /// <summary>The maximum number of tokens to take; at least 1.</summary>
    [Id(0)]
    public int Wanted { get; init; }
}

/// <summary>The tokens that were taken.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.TakeAsksReply")]
public sealed record TakeAsksReply
{
    /// <summary>The number of tokens, or 0 if there are none.</summary>
    [Id(0)]
    public int Granted { get; init; }

    /// <summary>If none were granted: when there will be one.</summary>
    [Id(1)]
    public TimeSpan RetryAfter { get; init; }
}
