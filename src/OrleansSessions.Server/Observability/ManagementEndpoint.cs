namespace OrleansSessions.Server.Observability;

/// <summary>Marks the endpoints that are for operators, not for clients.</summary>
internal sealed class ManagementEndpoint
{
    public static ManagementEndpoint Instance { get; } = new();
}
