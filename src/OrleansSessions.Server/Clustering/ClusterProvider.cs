namespace OrleansSessions.Server.Clustering;

/// <summary>How processes find each other, and where sessions are stored.</summary>
public enum ClusterProvider
{
    /// <summary>A single process, whose sessions are in a file.</summary>
    Localhost = 0,

    /// <summary>Through a Redis server, which also stores the sessions.</summary>
    Redis = 1,
}
