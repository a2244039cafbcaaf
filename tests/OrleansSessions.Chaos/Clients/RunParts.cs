using OrleansSessions.Chaos.Processes;
using OrleansSessions.Chaos.Results;

namespace OrleansSessions.Chaos.Clients;

/// <summary>What all clients of a run share.</summary>
internal sealed record RunParts(ChaosCluster Cluster, RunClock Clock, Counts Counts, Recoveries Recoveries, ClientBoard Board, HttpClient Http)
{
    public int Nodes => Cluster.Nodes.Count;

    /// <summary>The address of a node as clients see it: its proxy.</summary>
    public Uri Address(int node, string path, bool isSocket = false) =>
        new($"{(isSocket ? "ws" : "http")}://127.0.0.1:{Cluster.Nodes[node].Proxy.Port}{path}");

    /// <summary>Any node but this one.</summary>
    public int Other(int node, Random random) => Nodes == 1 ? node : (node + 1 + random.Next(Nodes - 1)) % Nodes;
}
