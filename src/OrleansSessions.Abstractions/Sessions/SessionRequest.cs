namespace OrleansSessions.Sessions;

/// <summary>What every grain call takes. A field that a later version adds is skipped by an earlier one, so a cluster can be upgraded node by node.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.SessionRequest")]
public abstract record SessionRequest
{
    /// <summary>Who calls, or null if nothing is known of it.</summary>
    [Id(0)]
    public Caller? Caller { get; init; }
}

/// <summary>On whose behalf a call is made.</summary>
[GenerateSerializer, Immutable, Alias("OrleansSessions.Caller")]
public sealed record Caller
{
    /// <summary>The scope of the caller's own sessions, see <see cref="SessionScope"/>.</summary>
    [Id(0)]
    public string? Scope { get; init; }

    /// <summary>The caller as its issuer names it.</summary>
    [Id(1)]
    public string? Subject { get; init; }

    /// <summary>What the caller may do.</summary>
    [Id(2)]
    public string[]? Permissions { get; init; }

    /// <summary>The W3C <c>traceparent</c> of the request that led to this call.</summary>
    [Id(3)]
    public string? TraceParent { get; init; }

    /// <summary>Without the subject, which can be a person's name: Orleans writes requests to its log.</summary>
    public override string ToString() => $"{nameof(Caller)} {TraceParent}";
}
