namespace OrleansSessions.Server.Configuration;

/// <summary>What one process of the cluster does.</summary>
public enum ServerRole
{
    /// <summary>Sessions and sockets in one process.</summary>
    All = 0,

    /// <summary>Sessions only; it answers HTTP for health and metrics.</summary>
    Silo = 1,

    /// <summary>Sockets only, in front of silos elsewhere.</summary>
    SocketGateway = 2,
}
