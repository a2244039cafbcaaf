namespace OrleansSessions.Server;

/// <summary>The role of a process in the cluster.</summary>
public enum ServerRole
{
    /// <summary>Sessions and sockets in one process.</summary>
    All = 0,

    /// <summary>Sessions only. It answers HTTP only for health and metrics.</summary>
    Silo = 1,

    /// <summary>Sockets only, in front of silos in other processes.</summary>
    SocketGateway = 2,
}
