namespace OrleansSessions.Server.Observability;

/// <summary>Marks the endpoints that operators and not clients read.</summary>
internal sealed class ManagementEndpoint
{
    public static ManagementEndpoint Instance { get; } = new();
}
