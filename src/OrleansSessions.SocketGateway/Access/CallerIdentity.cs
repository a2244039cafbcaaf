using OrleansSessions.Sessions;

namespace OrleansSessions.SocketGateway.Access;

/// <summary>Who calls. The scope follows from the identity alone, so that no request can name its way into another caller's sessions.</summary>
internal sealed record CallerIdentity
{
    /// <summary>A caller without an identity.</summary>
    public static CallerIdentity Anonymous { get; } = new() { Scope = SessionScope.Anonymous, Rights = SessionRights.Follow | SessionRights.Ask };

    /// <summary>A caller without an identity on this machine, while the server listens only there: the developer or the operator.</summary>
    public static CallerIdentity Local { get; } = new() { Scope = SessionScope.Anonymous, Rights = SessionRights.All };

    /// <summary>The scope of the caller's own sessions.</summary>
    public required string Scope { get; init; }

    /// <summary>What the caller may do in its own scope.</summary>
    public required SessionRights Rights { get; init; }

    /// <summary>The caller as its issuer names it, or null without an identity.</summary>
    public string? Subject { get; init; }

    /// <summary>Who vouches for the subject, or null without an identity.</summary>
    public string? Issuer { get; init; }

    /// <summary>Known permissions, without those that every caller has.</summary>
    public string[] Permissions { get; init; } = [];

    /// <summary>When the token expires, or null if it does not.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The authentication scheme that knows the caller, or null if that is unknown.</summary>
    public string? Scheme { get; init; }

    public bool IsAnonymous => Subject is null;

    /// <summary>True if both are the same caller, as its issuer names it, in the same scope.</summary>
    public bool IsSameCaller(CallerIdentity other) => (other.Scope, other.Issuer, other.Subject) == (Scope, Issuer, Subject);

    /// <summary>Without the subject, which can be a person's name.</summary>
    public override string ToString() => $"{nameof(CallerIdentity)} {Scope}";
}
