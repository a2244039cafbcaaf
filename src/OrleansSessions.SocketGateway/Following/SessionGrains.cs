using OrleansSessions.Clustering;
using OrleansSessions.Protocol;
using OrleansSessions.Sessions;
using OrleansSessions.SocketGateway.Errors;

namespace OrleansSessions.SocketGateway.Following;

/// <summary>The way from this process to the session grains: who calls, whether it may, and what becomes of a call that failed.</summary>
internal sealed class SessionGrains(IGrainFactory grains, SocketGatewayInstance instance, ClusterEviction eviction, GrainFaults faults)
{
    /// <summary>This socket gateway's instance id, as grains know it.</summary>
    public string Gateway => instance.Id;

    /// <summary>True once the silo of this process has left its cluster: another silo may hold the same sessions, so nothing is asked here any more.</summary>
    public bool IsEvicted => eviction.IsEvicted;

    public ISessionGrain Get(string sessionKey) => grains.GetGrain<ISessionGrain>(sessionKey);

    /// <inheritdoc cref="GrainFaults.Report"/>
    public ErrorMessage Report(Exception fault, string notDone, string sessionId, string? questionId) =>
        faults.Report(fault, notDone, sessionId, questionId);
}
